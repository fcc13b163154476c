"""Texts of conversions and their results, in English and Chinese."""

CONVERSION_TEXTS: dict[str, tuple[str, str]] = {
    # Swap
    "swap": ("Swap", "互换"),
    "swap_heading": ("Swap two voices", "互换两个声音"),
    "swap_intro": (
        "Record or upload two people. You get the words of each in the voice of the other.",
        "录制或上传两个人的语音，让两个人互换声音，各自的话不变。",
    ),
    "speaker_a": ("Speaker A", "说话人甲"),
    "speaker_b": ("Speaker B", "说话人乙"),
    "example_hello": ("A man says hello", "男声：你好"),
    "example_goodbye": ("A woman says goodbye", "女声：再见"),
    "swap_button": ("Swap voices", "互换声音"),
    "swapped_ab": ("A's words, B's voice", "甲的话，乙的声音"),
    "swapped_ba": ("B's words, A's voice", "乙的话，甲的声音"),
    "no_a": (
        "Speaker A is missing: record, upload, or choose the example or a saved voice.",
        "缺少说话人甲：请录音、上传、使用示例，或选择已保存的声音。",
    ),
    "no_b": (
        "Speaker B is missing: record, upload, or choose the example or a saved voice.",
        "缺少说话人乙：请录音、上传、使用示例，或选择已保存的声音。",
    ),
    "or_saved": ("or a saved voice", "或已保存的声音"),
    "or_saved_info": ("It reads the example sentence.", "由它朗读示例句。"),
    "download": ("Download", "下载"),
    "download_both": ("Download both (zip)", "下载两个结果（zip）"),
    "file_format": ("Format of the result", "结果的格式"),
    "wav_or_video": ("wav, or the video", "wav 或原视频"),
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
    "in_voice_of": ("{words}, in the voice of {voice}", "{words}（“{voice}”的声音）"),
    "result_name": ("{words}-in-the-voice-of-{voice}", "{words}-{voice}的声音"),  # of a file
    "visit_note": (
        "Only this browser shows them. The server removes them after an hour.",
        "仅在此浏览器中显示，一小时后服务器会删除。",
    ),
    # Convert
    "convert": ("Convert", "转换"),
    "convert_heading": ("Convert to another voice", "换一个声音说"),
    "convert_intro": (
        "Recordings may be long. Three to ten seconds of the target voice are enough.",
        "录音可以很长；目标声音只需三到十秒。",
    ),
    "source": ("Recording to convert", "源录音"),
    "target": ("Target voice", "目标声音"),
    "source_speaker": ("the source speaker", "源说话人"),
    "target_speaker": ("the target voice", "目标声音"),
    "saved_voices": ("Saved voices", "已保存的声音"),
    "saved_voices_info": (
        "instead of a recording; several voices are averaged",
        "可代替录音；多个声音会取平均",
    ),
    "settings": ("Settings", "设置"),
    "pitch": ("Pitch, semitones", "音高（半音）"),
    "pitch_info": ("0 is the target's own pitch", "0 为目标声音的音高"),
    "pitch_range": ("Pitch range", "音高起伏"),
    "pitch_range_info": ("below 1 flatter, above 1 livelier", "小于 1 更平，大于 1 更有起伏"),
    "exact_pitch": ("Keep the melody exactly", "保持旋律不变"),
    "exact_pitch_info": (
        "for songs: the source's intervals, and its octave where the target's voice can sing it",
        "适合歌声：音程不变；目标声音能唱到的，八度也不变",
    ),
    "strength": ("Strength of the target voice, %", "目标声音的强度（%）"),
    "strength_info": ("0 is the source's own voice", "0 为源说话人自己的声音"),
    "another": ("Another reading", "另一种读法"),
    "seed": ("Seed", "随机种子"),
    "seed_info": (
        "a slightly different delivery; each number gives another",
        "每个数字得到一种略有不同的语气",
    ),
    "convert_button": ("Convert", "转换"),
    "reading": ("Reading the recordings", "正在读取录音"),
    "converting": ("Converting", "正在转换"),
    "no_source": (
        "The recording to convert is missing: record or upload it.",
        "请先录制或上传源录音。",
    ),
    "no_target": (
        "The target voice is missing: record it, upload it or choose a saved one.",
        "缺少目标声音：请录音、上传，或选择已保存的声音。",
    ),
    # Dialogue
    "dialogue": ("Dialogue", "对话"),
    "dialogue_heading": ("Two people in one recording", "一段录音里的两个人"),
    "dialogue_intro": (
        "They speak in turns, as in an interview. Without target voices, the two swap theirs; with "
        "one alone, the other person stays as recorded.",
        "两个人轮流说话，例如采访。不给目标声音时，两个人互换声音；只给一个时，另一个人保持原样。",
    ),
    "dialogue_source": ("Dialogue", "对话录音"),
    "voice_first": ("Target voice of who speaks first", "先说话的人的目标声音"),
    "voice_second": ("Target voice of who speaks second", "后说话的人的目标声音"),
    "turns": ("Who speaks when", "谁在何时说话"),
    "turns_info": (
        "Found at the first conversion. Where a part has the wrong voice, correct times or "
        "speakers, and convert again. 1 speaks first, 2 second; who is 3 stays as recorded.",
        "首次转换时自动识别。如果某一段用错了声音，请修改时间或说话人，再转换一次。1 为先说话的人，"
        "2 为后说话的人；填 3 的部分保持原样。",
    ),
    "turn_start": ("start", "开始"),
    "turn_end": ("end", "结束"),
    "turn_speaker": ("speaker", "说话人"),
    "turn_place": ("Row {number}", "第 {number} 行"),
    "speaks_first": ("speaks first", "先说话的人"),
    "speaks_second": ("speaks second", "后说话的人"),
    "dialogue_button": ("Convert the dialogue", "转换对话"),
    "dialogue_of": ("Dialogue: {words}", "对话：{words}"),
    "dialogue_name": ("{words}-converted", "{words}-转换"),  # of a file
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
        "说话人验证模型测得的两段录音的相似度：1 为同一声音。该模型参加过训练，因此数值偏高。",
    ),
    "similarity_unknown": (
        "A saved voice has no recording to compare with.",
        "已保存的声音没有录音可供比较。",
    ),
    "spectrogram": ("Spectrograms", "频谱图"),
    "picture": ("Before (above), after; blue: pitch", "上：转换前；下：转换后；蓝线：音高"),
    "picture_alt": (
        "Two log-mel spectrograms on one scale, the recording above its conversion, each with its"
        " pitch as a blue line",
        "同一刻度的两幅对数梅尔谱：上为源录音，下为转换结果，蓝线为音高",
    ),
    # Batch
    "batch": ("Batch", "批量"),
    "batch_heading": ("Many recordings at once", "批量转换"),
    "batch_intro": (
        "Convert all of them to one voice, or to each of several saved voices. You get a zip with "
        "the results and a report.",
        "把全部录音转换为一个声音，或分别转换为几个已保存的声音。结果和报告打包为 zip 文件。",
    ),
    "batch_sources": ("Recordings to convert", "源录音"),
    "batch_target": ("Recordings of the target voice", "目标声音的录音"),
    "batch_voices_info": ("each one gives a folder of its own", "每个声音的结果单独放一个文件夹"),
    "format": ("Format of the results", "结果的格式"),
    "as_source": ("as each recording's", "与源录音相同"),
    "batch_button": ("Convert all", "全部转换"),
    "batch_progress": ("{done} of {files} files. ", "{done}/{files} 个文件。"),
    "batch_result": ("All results in one file", "全部结果"),
    "batch_report": ("Report", "报告"),
    "batch_source": ("recording", "录音"),
    "batch_output": ("result", "结果"),
    "batch_status": ("status", "状态"),
    "converted": ("converted", "已转换"),
    "failed": ("failed", "失败"),
    "not reached": ("not reached", "未处理"),
    "batch_error": ("reason", "原因"),
    "batch_note": ("note", "备注"),
    "batch_seconds": ("seconds", "秒"),
    "no_batch_target": (
        "The target voice is missing: upload recordings of it or choose a saved voice.",
        "缺少目标声音：请上传它的录音，或选择已保存的声音。",
    ),
    "no_sources": ("Upload the recordings to convert first.", "请先上传源录音。"),
    "no_manifest": (
        "{name} is a list, not a recording; upload the recordings themselves.",
        "{name} 是列表，不是录音；请上传录音。",
    ),
}
