"""Texts of the voice library and of training a voice, in English and Chinese."""

VOICE_TEXTS: dict[str, tuple[str, str]] = {
    # Voices
    "voices": ("Voices", "声音库"),
    "voices_heading": ("The voice library", "声音库"),
    "voices_intro": (
        "Save voices by name and use them when you convert. All who use this page share this "
        "library.",
        "给声音起名保存，转换时即可选用。使用本页的所有人共用这个声音库。",
    ),
    "map": ("Map of voices", "声音地图"),
    "map_list": ("All voices", "全部声音"),
    "map_info": ("Near means alike. Choose a voice.", "越近越像。点击选择声音。"),
    "map_empty": ("No voices yet: make one below.", "还没有声音：请在下方添加。"),
    "one_voice": ("Voice details", "声音详情"),
    "voice": ("Voice", "声音"),
    "use": ("Use in Convert", "用于转换"),
    "listen": ("Listen", "试听"),
    "spoken": ("The example sentence in this voice", "此声音的示例句"),
    "preview": ("Preview", "试听结果"),
    "new_name": ("New name", "新名字"),
    "rename": ("Rename", "重命名"),
    "export": ("Export", "导出"),
    "delete": ("Delete", "删除"),
    "delete_sure": ("Delete for good", "永久删除"),
    "delete_not": ("Cancel", "取消"),
    "no_voice": ("Choose a voice first.", "请先选择一个声音。"),
    "new_voice": ("A new voice", "新的声音"),
    "new_voice_info": (
        "From recordings, from saved voices, or at random.",
        "用录音或已保存的声音制作，或随机生成。",
    ),
    "from_recordings": ("Recordings", "录音"),
    "recording": ("A recording of the voice", "该声音的录音"),
    "no_recording": ("Record or upload the voice first.", "请先录制或上传该声音。"),
    "blend": ("Blend up to four", "混合"),
    "share": ("Share", "比例"),
    "no_blend": (
        "Choose at least one voice, with a share above zero.",
        "请至少选择一个声音，且比例大于零。",
    ),
    "walk": ("Between two", "两者之间"),
    "walk_from": ("From", "从"),
    "walk_to": ("To", "到"),
    "way": ("Share of the second voice, %", "第二个声音的比例（%）"),
    "way_info": ("0 is the first voice, 100 the second", "0 为第一个声音，100 为第二个声音"),
    "draw": ("Random voice", "随机声音"),
    "draw_seed": ("Seed", "随机种子"),
    "draw_info": ("each number gives another synthetic voice", "每个数字对应一个合成的声音"),
    "no_seed": (
        "The seed is missing: any number gives a voice.",
        "请先填写随机种子，任意数字都可以。",
    ),
    "import": ("Import", "导入"),
    "import_file": ("A voice's .safetensors file", "声音的 .safetensors 文件"),
    "no_voice_file": (
        "Upload a voice's .safetensors file first.",
        "请先上传声音的 .safetensors 文件。",
    ),
    "name": ("Name", "名字"),
    "keep": ("Save this voice", "保存此声音"),
    "kept": ("The voice is in the library.", "声音已存入声音库。"),
    # Adapting the model to a voice
    "adapt": ("Train a voice", "训练声音"),
    "adapt_info": (
        "Train the model on recordings of one voice, in about two minutes. Ten seconds of speech "
        "are enough; a minute is better.",
        "用一个声音的录音训练模型，约需两分钟。十秒语音就够，一分钟更好。",
    ),
    "adapt_recordings": ("Recordings of one voice", "同一声音的录音"),
    "adapt_no_recordings": ("Upload recordings of the voice first.", "请先上传该声音的录音。"),
    "adapt_consent": (
        "This is my own voice, or its owner has agreed.",
        "这是我自己的声音，或已获声音本人同意。",
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
        "{minutes:.1f} minutes of speech, {steps} steps. Measured on {name}.",
        "{minutes:.1f} 分钟语音，{steps} 步。评测录音：{name}。",
    ),
    "adapt_own": (
        "a recording that was also trained on, as there is too little speech to hold one out",
        "一段也用于训练的录音（语音太少，无法另留一段）",
    ),
    "adapt_similarity": ("Similarity to the voice (higher)", "与该声音的相似度（越高越好）"),
    "adapt_words": (
        "Content similarity to the source (higher)",
        "与源录音内容的相似度（越高越好）",
    ),
    "adapt_error": ("Reconstruction error (lower)", "重建误差（越低越好）"),
}
