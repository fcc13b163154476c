"""Texts of conversions and their results, in English and Chinese."""

CONVERSIONS: dict[str, tuple[str, str]] = {
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
        "Speaker A is missing: record, upload, take the example or a saved voice.",
        "缺少说话人 A：请录音、上传、使用示例或已保存的声音。",
    ),
    "no_b": (
        "Speaker B is missing: record, upload, take the example or a saved voice.",
        "缺少说话人 B：请录音、上传、使用示例或已保存的声音。",
    ),
    "or_saved": ("or a saved voice", "或已保存的声音"),
    "or_saved_info": ("It says the example sentence.", "它会说示例句。"),
    "download": ("Download", "下载"),
    "download_both": ("Download both (zip)", "下载两个结果（zip）"),
    "file_format": ("Format of the result", "结果的格式"),
    # The player of a result, and the results of a visit
    "player_compare": ("Compare", "对比"),
    "player_converted": ("Converted", "转换后"),
    "player_original": ("Original", "源录音"),
    "player_target": ("Target", "目标声音"),
    "player_play": ("Play", "播放"),
    "player_pause": ("Pause", "暂停"),
    "player_position": ("Position", "播放位置"),
    "player_volume": ("Volume", "音量"),
    "visit": ("Your results", "你的结果"),
    "visit_note": (
        "Only this browser shows them. The server removes them after an hour.",
        "仅在此浏览器中显示；一小时后由服务器删除。",
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
    "saved_voices": ("Saved voices", "已保存的声音"),
    "saved_voices_info": (
        "in place of a recording; all that is given here is averaged",
        "可代替录音；此处给出的全部声音会取平均",
    ),
    "settings": ("Settings", "设置"),
    "pitch": ("Pitch, semitones", "音高（半音）"),
    "pitch_info": ("0 follows the target", "0 表示跟随目标"),
    "pitch_range": ("Pitch range", "音高起伏"),
    "pitch_range_info": ("below 1 flatter, above 1 livelier", "小于 1 更平，大于 1 更生动"),
    "exact_pitch": ("Keep the melody exactly", "保持旋律不变"),
    "exact_pitch_info": (
        "for songs: the source's intervals, in the octave nearest to the target's voice",
        "适合歌声：保留原来的音程，移到最接近目标声音的八度",
    ),
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
    "no_source": (
        "The recording to convert is missing: record or upload it.",
        "请先录制或上传源录音。",
    ),
    "no_target": (
        "The target voice is missing: record it, upload it or choose a saved one.",
        "缺少目标声音：请录音、上传或选择已保存的声音。",
    ),
    # Before and after
    "similarity": ("Similarity", "相似度"),
    "similarity_to": ("Similarity to {name}", "与{name}的相似度"),
    "much_like": ("Much like {name} ({number})", "与{name}非常相似（{number}）"),
    "like": ("Like {name} ({number})", "与{name}相似（{number}）"),
    "somewhat_like": ("Somewhat like {name} ({number})", "与{name}略相似（{number}）"),
    "unlike": ("Not like {name} ({number})", "与{name}不相似（{number}）"),
    "similarity_note": (
        "Similarity of two recordings by a speaker verifier: 1 is the same voice. The verifier "
        "took part in training, so its values are optimistic.",
        "说话人验证网络给出的两段录音的相似度：1 为同一声音。该网络参与过训练，因此数值偏高。",
    ),
    "similarity_unknown": (
        "A saved voice has no recording to compare with.",
        "保存的声音没有可比较的录音。",
    ),
    "spectrogram": ("Spectrograms", "频谱图"),
    "picture": ("Before (above), after; blue: pitch", "上：之前；下：之后；蓝线：音高"),
    "picture_alt": (
        "Two log-mel spectrograms on one scale, the recording above its conversion, each with its"
        " pitch as a blue line",
        "同一刻度的两幅对数梅尔谱：上为原录音，下为转换结果，蓝线为音高",
    ),
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
    "converted": ("converted", "已转换"),
    "failed": ("failed", "失败"),
    "not reached": ("not reached", "未处理"),
    "batch_error": ("reason", "原因"),
    "batch_seconds": ("seconds", "秒"),
    "no_sources": ("Upload the recordings to convert first.", "请先上传要转换的录音。"),
    "no_manifest": (
        "{name} is a list, not a recording; upload the recordings themselves.",
        "{name} 是列表而非录音；请上传录音本身。",
    ),
}
