"""The library's sentences on mistakes and on recordings, in Chinese."""

import re

# The English sentence as a pattern, and the Chinese one with the same parts. The part "rest" is
# further sentences, which are translated too.
SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"(?P<name>.+) can't be read as audio; if it was cut off, it lacks the index .*",
        "{name} 无法作为音频读取；如果录制时中断，文件会缺少最后写入的索引，"
        "录制它的应用也许能修复。",
    ),
    (
        r"(?P<name>.+) can't be read as audio(?: \((?P<why>.+?)\))?[.;].*",
        "{name} 无法作为音频读取，请换一个录音文件。",
    ),
    (r"(?P<name>.+) is damaged: it can't be decoded.*", "{name} 已损坏，无法完整解码。"),
    (r"(?P<name>.+) has no sound track\.", "{name} 没有音轨。"),
    (
        r"(?P<name>.+) is no recording; a saved voice .*",
        "{name} 是已保存的声音，不是录音，里面没有话语；请把它用作目标声音。",
    ),
    (
        r"(?P<name>.+) is text, not a recording; let a text-to-speech program .*",
        "{name} 是文字，不是录音；请先用文字转语音软件把它读成音频文件，再转换该文件。",
    ),
    (
        r"(?P<name>.+) has samples up to (?P<peak>\S+); .*",
        "{name} 的采样值高达 {peak}；请以 1.0 为满幅导出，或导出为整数格式。",
    ),
    (
        r"\.(?P<ending>\w+) can't hold the pictures of (?P<name>.+); .*",
        "{ending} 格式放不下 {name} 的画面；请选择 mkv，只要声音则选择 wav。",
    ),
    (
        r"(?P<name>.+): only (?P<n>[\d.]+) of its (?P<total>[\d.]+) s were written\.",
        "{name}：{total} 秒中只写出了 {n} 秒，请再试一次。",
    ),
    (
        r"(?P<name>.+) has (?P<n>\d+) channels; at most (?P<most>\d+) can be read\.",
        "{name} 有 {n} 个声道；最多支持 {most} 个。",
    ),
    (
        r"(?P<name>.+) has a sample rate of (?P<rate>[\d.]+) Hz; (?P<low>\d+) to (?P<high>\d+) .*",
        "{name} 的采样率为 {rate} Hz；支持 {low} 到 {high}。",
    ),
    (r"(?P<name>.+) is an empty file\.", "{name} 是空文件。"),
    (r"(?P<name>.+) does not exist\.", "{name} 已不存在，请重新上传。"),
    (r"(?P<name>.+) holds no samples\.", "{name} 不含任何音频数据。"),
    (
        r"(?P<name>.+) is (?P<length>[\d.]+) s long; at least (?P<least>[\d.]+) s is needed\.",
        "{name} 只有 {length} 秒；至少需要 {least} 秒。",
    ),
    (
        r"(?P<name>.+) is less than (?P<length>[\d.]+) s long; at least (?P<least>[\d.]+) s .*",
        "{name} 不到 {length} 秒；至少需要 {least} 秒。",
    ),
    (r"(?P<name>.+) is silent\.", "{name} 是静音。"),
    (r"There is no voice '(?P<name>.+)'\.", "没有名为“{name}”的声音。"),
    (
        r"There is a voice '(?P<name>.+)' already; choose another name\.",
        "已有名为“{name}”的声音，请换一个名字。",
    ),
    (r"A voice needs a name\.", "请先填写声音的名字。"),
    (
        r"The name '(?P<name>.+)' is too long; use a shorter one\.",
        "名字“{name}”太长，请用短一些的。",
    ),
    (
        r"(?P<name>.+) is larger than any saved voice\.",
        "{name} 太大，不是已保存的声音，请上传从声音库导出的文件。",
    ),
    (
        r"(?P<name>.+) is (?:missing, damaged or not a|a safetensors file, but not a) "
        r"saved voice\.",
        "{name} 不是已保存的声音，请上传从声音库导出的文件。",
    ),
    (
        r"(?P<name>.+) holds a voice of another model; .+",
        "{name} 属于另一个模型，请用录音重新制作。",
    ),
    (
        r"(?P<name>.+) is damaged or kept by another version of voiceswap.*",
        "{name} 已损坏或由其他版本保存，请重新制作。",
    ),
    (
        r"A voice's file holds a blend of at most (?P<most>\d+) voices, not (?P<n>\d+); .*",
        "声音文件最多混合 {most} 个声音，这里有 {n} 个；请减少。",
    ),
    (
        r"A voice's file has at most (?P<most>\d+) MiB, .* would have (?P<n>\d+); .*",
        "声音文件最多 {most} MiB，这个会有 {n} MiB；请提供更少或更短的录音。",
    ),
    (
        r"The model gave samples that are not numbers; .*",
        "模型给出了无效采样：模型文件或声音文件已损坏。",
    ),
    (
        r"There is no recording to learn from\.(?P<rest>.*)",
        "没有可用于训练的录音，请上传更多语音。{rest}",
    ),
    (r"(?P<name>.+) is shorter than (?P<least>[\d.]+) s\.", "{name} 短于 {least} 秒。"),
    (r"(?P<name>.+) is clipped\.", "{name} 有削波失真。"),
    (
        r"(?P<name>.+) has noise less than (?P<n>[\d.]+) dB below its speech\.",
        "{name} 噪声太大：信噪比不到 {n} dB。",
    ),
    (
        r"(?P<name>.+) holds NaN or infinite samples\.",
        "{name} 含有无效采样（NaN 或无穷大），请重新导出录音。",
    ),
    # Notes on recordings that are used all the same
    (
        r"(?P<name>.+): one channel is inverted or late, so that a mix would cancel speech; .*",
        "{name}：一个声道反相或延迟，混合会抵消语音；只使用较响的声道。",
    ),
    (
        r"(?P<name>.+): (?P<n>\d+) of (?P<total>\d+) channels are inverted or late, .*",
        "{name}：{total} 个声道中有 {n} 个反相或延迟，混合会抵消语音；只使用其余声道。",
    ),
    (
        r"(?P<name>.+): one channel is silent, so only the other one is used\.",
        "{name}：一个声道无声，只使用另一个声道。",
    ),
    (
        r"(?P<name>.+): two people seem to speak in it, one on each channel; .*",
        "{name}：似乎有两个人在说话，各占一个声道；两个声道已混合，请按对话转换，或把每个声道存为单独的文件。",
    ),
    (
        r"(?P<name>.+): two people seem to speak in it, at about (?P<a>\d+) and (?P<b>\d+) Hz; .*",
        "{name}：似乎有两个人在说话（约 {a} 和 {b} Hz），"
        "结果会是同一个声音；请按对话转换，或分别提供每个人的录音。",
    ),
    (
        r"(?P<name>.+): two people seem to speak in it, and a voice that is taken from both .*",
        "{name}：似乎有两个人在说话，得到的声音不属于其中任何一个人；请提供只有一个人说话的部分。",
    ),
    (
        r"(?P<name>.+): no two people can be told apart in it; .*",
        "{name}：分不出两个人；请提供两个人各说几秒以上的录音。",
    ),
    (
        r"(?P<place>.+): a turn is a start and an end, .*",
        "{place}：请填写开始和结束时间（秒，或 1:23.5 这样的形式，结束须晚于开始），"
        "以及说话人的编号（1 到 99 的整数）。",
    ),
    (
        r"(?P<name>.+): the turn at \S+ s \((?P<start>\S+)\) begins before the one at \S+ s "
        r"\((?P<before>\S+)\) ends; .*",
        "{name}：从 {start} 开始的一段与从 {before} 开始的一段重叠；请让前一段在后一段开始时结束。",
    ),
    (
        r"(?P<name>.+) is (?P<length>\S+) s long, and of its turns one begins at "
        r"\S+ s \((?P<at>\S+)\)\.",
        "{name} 只有 {length} 秒，而列表中有一段从 {at} 开始。",
    ),
    (
        r"(?P<name>.+) has no turn of speaker (?P<who>\d+), who is to be converted; .*",
        "{name}：列表中没有要转换的说话人 {who}；请修改谁在何时说话，或只给其他人目标声音。",
    ),
    (
        r"(?P<name>.+): the two people in it are hard to tell apart, .*",
        "{name}：两个人的声音很难区分，或只有一个人在说话，有的部分可能会换错声音，请检查结果。",
    ),
    (
        r"(?P<name>.+): at (?P<times>[\d–, ]+) s neither of the two seems to speak, .*",
        "{name}：第 {times} 秒似乎不是这两个人在说话，而是音乐或其他人；这部分也会被转换。",
    ),
    (
        r"(?P<name>.+): these turns seem to be of two people; .*",
        "{name}：这些部分似乎是两个人说的；请修改谁在何时说话。",
    ),
    (
        r"(?P<name>.+): each of the two has a channel of their own, .*",
        "{name}：两个人各占一个声道，因此分别转换；结果混合成一个声道。",
    ),
    (
        r"(?P<name>.+): it lacks frequencies, as recordings by telephone and at low .*",
        "{name}：缺少部分频率（电话录音或低码率录音常见），"
        "声音有一部分只能推测；用音质更好的录音，声音会更像。",
    ),
    (
        r"(?P<name>.+): (?P<share>\d+%) of its voice would be (?:above|below) (?P<hz>\d+) Hz, .*",
        "{name}：{share} 的语音会超出音高范围（{hz} Hz），旋律因此变平；请减小音高的移动量。",
    ),
    (
        r"(?P<name>.+): it is (?:an octave|\d octaves) (?:higher|lower) than its source, .* by "
        r"(?P<shift>\S+) semitones .*",
        "{name}：为了适合目标声音的音域，旋律移了八度；把音高移动 {shift} 个半音可换一个八度。",
    ),
    (
        r"(?P<name>.+): moved by (?P<shift>\S+) semitones it would be outside "
        r"(?P<low>\d+) to (?P<high>\d+) Hz, .*",
        "{name}：移动 {shift} 个半音会超出音高范围（{low} 到 {high} Hz），因此改用另一个八度。",
    ),
    (
        r"(?P<name>.+): little or none of it seems to be speech, so hardly any words .*",
        "{name}：几乎没有语音，因此结果中几乎没有说话内容；请提供语音。"
        "如果是歌曲，请提供没有伴奏的演唱，并选择“保持旋律不变”。",
    ),
    (
        r"(?P<name>.+): little or none of it seems to be speech, .*",
        "{name}：几乎没有语音，得到的声音只是猜测；请提供一个人 3 到 10 秒的清晰语音。",
    ),
    (
        r"(?P<name>.+) ends after (?P<at>[\d.]+) of the (?P<total>[\d.]+) s it should have\.",
        "{name} 在 {total} 秒中的第 {at} 秒处中断。",
    ),
    (
        r"(?P<name>.+): (?P<lost>[\d.]+) s of it are damaged and lost\.",
        "{name}：有 {lost} 秒已损坏，无法恢复。",
    ),
    (
        r"All (?P<most>\d+) places for live conversion are taken; try again in a moment\.",
        "{most} 个实时变声名额都已占用，请稍后再试。",
    ),
    (
        r"Nobody has spoken for (?P<minutes>\d+) minutes, so the microphone is off\.",
        "已有 {minutes} 分钟没有人说话，麦克风已关闭。",
    ),
    (r"This live session is over; start another one\.", "这次实时变声已结束，请重新开始。"),
    (
        r"The rate of the samples is (?P<rate>\d+) Hz, but has to be a multiple of (?P<step>\d+) "
        r"from (?P<low>\d+) to (?P<high>\d+)\.",
        "采样率为 {rate} Hz，但必须是 {low} 到 {high} 之间 {step} 的倍数。",
    ),
    (r"The rate of the samples can't change while they come\.", "实时变声期间不能改变采样率。"),
    (r"The conversion was stopped\.", "转换已停止。"),
    (
        r"(?P<name>\w+) is (?P<value>.+), but must be a (?:whole )?number from (?P<low>\S+) "
        r"to (?P<high>.+)\.",
        "{name} 为 {value}，但必须是 {low} 到 {high} 之间的数。",
    ),
    (
        r"Value \d+ of .+? \((?P<name>.+)\) has to be a number from (?P<low>\S+) "
        r"to (?P<high>\S+)\.",
        "“{name}”必须是 {low} 到 {high} 之间的数。",
    ),
    (r"Value \d+ of .+? \((?P<name>.+)\) has to be a table, .*", "“{name}”必须是表格。"),
    # Of the server
    (r"The disk is full; make room\.", "服务器磁盘已满，请稍后再试。"),
    (
        r"(?P<name>.+) can't be written: no space left on the disk.*",
        "服务器磁盘已满，无法写入 {name}，请稍后再试。",
    ),
    (
        r"The folder for temporary files can't hold the recording.*",
        "服务器磁盘已满，放不下这个录音，请稍后再试。",
    ),
    (
        r"(?:The voice ')?(?P<name>.+?)'? can't be (?:written|read|renamed|deleted) "
        r"\((?P<why>.+)\)\.",
        "服务器无法读写 {name}（{why}）。",
    ),
    # What the request guard refuses
    (
        r"Too much was uploaded: at most (?P<own>\S+) GB an hour by one visitor, "
        r"(?P<all>\S+) GB by all; .*",
        "上传过多：每位访客每小时最多 {own} GB，全部访客共 {all} GB；"
        "旧文件会自动删除，请稍后再试。",
    ),
    (
        r"You have as many requests waiting as one visitor may.*",
        "你等待中的请求已达上限，请等前面的完成。",
    ),
    (r"Too many wrong passwords: wait (?P<n>\d+) s\.", "密码错误次数过多：请等待 {n} 秒。"),
    (
        r"A recording has to be uploaded to the page first.*",
        "录音须先上传到本页；一小时前上传的已删除，请重新上传。",
    ),
    (r"A call is at most one megabyte.*", "一次请求最多 1 MB，请减少文件。"),
    (r"The page does not answer to this address.*", "本页不在此地址提供服务。"),
    (r"The page does not answer to other websites\.", "本页不接受其他网站的请求。"),
    (r"There is no such page\.", "没有这个页面。"),
)


def in_language(language: str, sentence: str) -> str:
    """The library's sentence in the page's language; one without a translation as it is."""
    if language == "zh":
        for pattern, chinese in SENTENCES:
            found = re.fullmatch(pattern, sentence, re.DOTALL)
            if found:
                parts = found.groupdict(default="")
                if "rest" in parts:
                    rest = re.split(r"(?<=\.) ", parts["rest"].strip())
                    parts["rest"] = "".join(in_language(language, one) for one in rest)
                return chinese.format(**parts)
    return sentence
