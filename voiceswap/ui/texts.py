"""Every text of the page, in English and Chinese."""

LANGUAGES = ("en", "zh")

TABLE: dict[str, tuple[str, str]] = {
    # Everywhere
    "tagline": ("Your words, another voice.", "你的话，别人的声音。"),
    "consent": (
        "Use only voices whose owners agreed, and say that the result is synthetic wherever you "
        "share it.",
        "请仅使用已获本人同意的声音；分享结果时，请说明它是合成的。",
    ),
    "light": ("Light or dark", "浅色或深色"),
    "sorry": ("That did not work", "操作失败"),
    "fault": (
        "An unexpected error occurred ({kind}); the server's log has the details.",
        "出现意外错误（{kind}）；服务器日志中有更多信息。",
    ),
    "busy": (
        "The queue is full: {size} requests are waiting already. Try again in a moment.",
        "队列已满：已有 {size} 个请求在等待。请稍后再试。",
    ),
    "too_long": (
        "{name} is {length} minutes long; at most {limit} can be used here.",
        "{name} 长 {length} 分钟；这里最多可用 {limit}。",
    ),
    "stop": ("Stop", "停止"),
    "before": ("before", "之前"),
    "after": ("after", "之后"),
    "or_example": ("or take an example", "或使用示例"),
    "more_recordings": ("More recordings of the same voice", "同一声音的更多录音"),
    # Before and after
    "similarity": ("Similarity", "相似度"),
    "similarity_to": ("Like {name}", "与{name}的相似度"),
    "similarity_note": (
        "Similarity of two recordings by a speaker verifier: 1 is the same voice. The verifier "
        "took part in training, so its values are optimistic.",
        "说话人验证网络给出的两段录音的相似度：1 为同一声音。该网络参与过训练，因此数值偏高。",
    ),
    "similarity_unknown": (
        "A saved voice has no recording to compare with.",
        "保存的声音没有可比较的录音。",
    ),
    "picture": ("Before (above), after; blue: pitch", "上：之前；下：之后；蓝线：音高"),
    "picture_alt": (
        "Two log-mel spectrograms on one scale, the recording above its conversion, each with its"
        " pitch as a blue line",
        "同一刻度的两幅对数梅尔谱：上为原录音，下为转换结果，蓝线为音高",
    ),
    # Swap
    "swap": ("Swap", "互换"),
    "swap_heading": ("Swap two voices", "互换两个声音"),
    "swap_intro": (
        "Record or upload two people. You get the first one's words in the second one's voice, "
        "and the other way round.",
        "录制或上传两个人的话。你会得到：第一个人的话用第二个人的声音说出，反之亦然。",
    ),
    "speaker_a": ("Speaker A", "说话人 A"),
    "speaker_b": ("Speaker B", "说话人 B"),
    "example_hello": ("A man says hello", "男声：你好"),
    "example_goodbye": ("A woman says goodbye", "女声：再见"),
    "swap_button": ("Swap voices", "互换声音"),
    "swapped_ab": ("A's words, B's voice", "A 的话，B 的声音"),
    "swapped_ba": ("B's words, A's voice", "B 的话，A 的声音"),
    "no_a": (
        "Speaker A is missing: record, upload or take the example.",
        "缺少说话人 A：请录音、上传或使用示例。",
    ),
    "no_b": (
        "Speaker B is missing: record, upload or take the example.",
        "缺少说话人 B：请录音、上传或使用示例。",
    ),
    # Convert
    "convert": ("Convert", "转换"),
    "convert_heading": ("Say it in another voice", "换一个声音说"),
    "convert_intro": (
        "Recordings may be long. Three to ten seconds of the target voice are enough.",
        "长录音也可以。目标声音有三到十秒就够了。",
    ),
    "source": ("Recording to convert", "源录音"),
    "target": ("Target voice", "目标声音"),
    "source_speaker": ("the source speaker", "原说话人"),
    "target_speaker": ("the target voice", "目标声音"),
    "more_targets": ("More recordings, or a saved voice", "更多录音，或已保存的声音"),
    "saved_voices": ("Saved voices", "已保存的声音"),
    "saved_voices_info": (
        "All that is given here is averaged into one voice.",
        "此处给出的全部声音会平均为一个。",
    ),
    "settings": ("Settings", "设置"),
    "pitch": ("Pitch, semitones", "音高（半音）"),
    "pitch_info": ("0 follows the target", "0 表示跟随目标"),
    "pitch_range": ("Pitch range", "音高起伏"),
    "pitch_range_info": ("below 1 flatter, above 1 livelier", "小于 1 更平，大于 1 更生动"),
    "strength": ("Strength of the target voice, %", "目标声音的比例（%）"),
    "strength_info": ("0 is the source's own voice", "0 为原来的声音"),
    "another": ("Another reading", "另一种读法"),
    "seed": ("Seed", "随机种子"),
    "seed_info": (
        "draws another variant of the same words, by a number",
        "按数字生成同一内容的另一种读法",
    ),
    "convert_button": ("Convert", "转换"),
    "converting": ("Converting", "正在转换"),
    "converted": ("The same words in the other voice", "同样的话，另一个声音"),
    "no_source": (
        "The recording to convert is missing: record or upload it.",
        "请先录制或上传源录音。",
    ),
    "no_target": (
        "The target voice is missing: record it, upload it or choose a saved one.",
        "缺少目标声音：请录音、上传或选择已保存的声音。",
    ),
    # Voices
    "voices": ("Voices", "声音库"),
    "voices_heading": ("The voice library", "声音库"),
    "voices_intro": (
        "Save voices by name and use them when you convert. Everybody who uses this page shares "
        "this library.",
        "按名字保存声音，供转换时使用。使用本页的所有人共用此库。",
    ),
    "map": ("Map of voices", "声音地图"),
    "map_info": ("Near means alike. Choose a voice by its dot.", "越近越像。点击圆点选择声音。"),
    "map_empty": ("No voices yet: make one below.", "还没有声音：请在下方添加。"),
    "one_voice": ("Voice details", "声音详情"),
    "voice": ("Voice", "声音"),
    "listen": ("Listen", "试听"),
    "spoken": ("The example sentence in this voice", "用此声音说的示例句"),
    "preview": ("Preview", "试听结果"),
    "new_name": ("New name", "新名字"),
    "rename": ("Rename", "改名"),
    "export": ("Export", "导出"),
    "delete": ("Delete", "删除"),
    "delete_sure": ("Delete for good", "永久删除"),
    "delete_not": ("Cancel", "取消"),
    "no_voice": ("Choose a voice first.", "请先选择一个声音。"),
    "new_voice": ("A new voice", "新的声音"),
    "new_voice_info": (
        "From recordings, from saved voices, or at random.",
        "来自录音、已保存的声音，或随机生成。",
    ),
    "from_recordings": ("Recordings", "录音"),
    "recording": ("A recording of the voice", "该声音的录音"),
    "blend": ("Blend", "混合"),
    "share": ("Share", "比例"),
    "no_blend": (
        "Choose at least one voice, with a share above zero.",
        "请至少选择一个声音，且比例大于零。",
    ),
    "walk": ("Mix two voices", "混合两个声音"),
    "walk_from": ("From", "从"),
    "walk_to": ("To", "到"),
    "way": ("Share of the second voice, %", "混合比例（%）"),
    "way_info": (
        "0 is the first voice, 100 the second",
        "0 为第一个声音，100 为第二个声音",
    ),
    "draw": ("Random voice", "随机声音"),
    "draw_seed": ("Seed", "随机种子"),
    "draw_info": (
        "each number gives another synthetic voice",
        "每个数字对应一个随机合成的声音",
    ),
    "import": ("Import", "导入"),
    "import_file": ("A voice's .safetensors file", "声音的 .safetensors 文件"),
    "no_voice_file": (
        "Upload a voice's .safetensors file first.",
        "请先上传声音的 .safetensors 文件。",
    ),
    "name": ("Name", "名字"),
    "keep": ("Save this voice", "保存此声音"),
    "kept": ("The voice is in the library.", "声音已存入库中。"),
    # Batch
    "batch": ("Batch", "批量"),
    "batch_heading": ("Many recordings at once", "批量转换"),
    "batch_intro": (
        "All of them in one voice, or in each of several saved voices: you get a zip with the "
        "results and a report.",
        "全部转换为一个声音，或分别转换为几个已保存的声音：你会得到一个包含结果和报告的 zip 文件。",
    ),
    "batch_sources": ("Recordings to convert", "要转换的录音"),
    "batch_target": ("Recordings of the target voice", "目标声音的录音"),
    "batch_voices_info": ("each one gives a folder of its own", "每个声音各得一个文件夹"),
    "format": ("Format of the results", "结果的格式"),
    "as_source": ("as each recording's", "与各录音相同"),
    "batch_button": ("Convert all", "全部转换"),
    "batch_progress": ("{done} of {files} files", "{done}/{files} 个文件"),
    "batch_result": ("Everything in one file", "全部结果"),
    "batch_report": ("Report", "报告"),
    "batch_source": ("recording", "录音"),
    "batch_output": ("result", "结果"),
    "batch_status": ("status", "状态"),
    "batch_error": ("reason", "原因"),
    "batch_seconds": ("seconds", "秒"),
    "no_sources": ("Upload the recordings to convert first.", "请先上传要转换的录音。"),
    "no_manifest": (
        "{name} is a list, not a recording; upload the recordings themselves.",
        "{name} 是列表而非录音；请上传录音本身。",
    ),
    # About
    "about": ("About", "关于"),
    "about_heading": ("About this page", "关于本页"),
    "must_not": ("Prohibited uses", "禁止用途"),
    "must_not_text": (
        "Impersonation, deception, harassment, or getting around voice authentication; any voice "
        "whose owner did not agree. "
        "Say that a result is synthetic wherever you share it. Assume that a voice alone proves "
        "nobody's identity.",
        "冒充、欺骗、骚扰或绕过声纹验证；任何未经主人同意的声音。分享结果时，请说明它是合成的。请认为仅凭声音不能证明任何人的身份。",
    ),
    "model": ("Model", "模型"),
    "model_code": ("Model fingerprint", "模型指纹"),
    "unnamed": ("unnamed", "未命名"),
    "unknown": ("not stated", "未说明"),
    "licence": ("Licence", "许可证"),
    "rate": ("Sample rate", "采样率"),
    "device": ("Device in use", "所用设备"),
    "version": ("voiceswap", "voiceswap"),
    "limits": ("Limits here", "本页限制"),
    "limits_text": (
        "swaps and references {short} minutes, conversions {long}; files {size:g} MB; {queue} "
        "requests may wait",
        "互换和参考录音 {short} 分钟，转换 {long}；文件 {size:g} MB；最多 {queue} 个请求等待",
    ),
    "figures": ("Measured figures", "实测指标"),
    "figures_note": (
        "DV and SV: similarity to the target by two speaker verifiers; CER and WER: errors of a "
        "speech recogniser; "
        "MOS: naturalness from 1 to 5, predicted.",
        "DV、SV：两个说话人验证网络给出的与目标的相似度；CER、WER：语音识别的错误率；"
        "MOS：预测的自然度，1 到 5。",
    ),
    "data": ("Training data and licences", "训练数据与许可证"),
    "frozen": ("Pretrained parts", "预训练（冻结）组件"),
}

# Adapting the model to a voice
TABLE |= {
    "adapt": ("Train a voice", "训练声音"),
    "adapt_info": (
        "Train the model on recordings of one voice, in about two minutes. Ten seconds of speech "
        "are enough; three minutes are best.",
        "用一个声音的录音训练模型，约需两分钟。十秒语音即可，三分钟最好。",
    ),
    "adapt_recordings": ("Recordings of one voice", "同一声音的录音"),
    "adapt_consent": (
        "This is my own voice, or its owner has agreed.",
        "这是我自己的声音，或已获声音主人同意。",
    ),
    "adapt_no_consent": (
        "Tick the box first: only voices whose owners agreed may be trained.",
        "请先勾选：只能训练已获本人同意的声音。",
    ),
    "adapt_button": ("Train this voice", "训练这个声音"),
    "adapting": ("Training the voice", "正在训练声音"),
    "adapt_before": ("Example before", "训练前示例"),
    "adapt_after": ("Example after", "训练后示例"),
    "adapt_summary": (
        "{minutes:.1f} minutes of speech, {steps} steps.",
        "{minutes:.1f} 分钟语音，{steps} 步。",
    ),
    "adapt_judged": ("Measured on {name}.", "评测录音：{name}。"),
    "adapt_own": (
        "a recording that was also trained on, as there is too little speech to hold one out",
        "一段参与训练的录音（语音太少，无法另留）",
    ),
    "adapt_similarity": ("Similarity to the voice (higher)", "与该声音的相似度（越高越好）"),
    "adapt_words": (
        "Content similarity to the source (higher)",
        "与源录音内容的相似度（越高越好）",
    ),
    "adapt_error": ("Reconstruction error (lower)", "重建误差（越低越好）"),
}


class Texts:
    """The table in one language."""

    def __init__(self, language: str = "en"):
        self.language, self._column = language, LANGUAGES.index(language)

    def __getitem__(self, name: str) -> str:
        return TABLE[name][self._column]
