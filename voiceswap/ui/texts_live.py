"""Texts of the Live tab, in English and Chinese."""

LIVE_TEXTS: dict[str, tuple[str, str]] = {
    "live": ("Live", "实时"),
    "live_heading": ("Speak in another voice", "实时变声"),
    "live_intro": (
        "The microphone goes in, the other voice comes out while you speak. Wear headphones: "
        "from a loudspeaker the microphone would hear it again.",
        "对着麦克风说话，同时听到另一个声音。请戴耳机：用扬声器播放时，麦克风会再次收到声音。",
    ),
    "live_voice": ("Voice", "声音"),
    "live_voice_info": (
        "one of the library; the Voices tab makes one of a recording",
        "声音库中的一个；在“声音库”标签页可用录音制作",
    ),
    "live_latency": ("Delay", "延迟"),
    "live_latency_info": (
        "a longer one keeps words clearer, and is easier for the server",
        "延迟越长，吐字越清楚，对服务器的要求也越低",
    ),
    "live_low": ("low", "低"),
    "live_normal": ("normal", "普通"),
    "live_high": ("high", "高"),
    "live_start": ("Start", "开始"),
    "live_stop": ("Stop", "停止"),
    "live_bypass": ("My own voice", "原声"),
    "live_off": ("The microphone is off.", "麦克风已关闭。"),
    "live_opening": ("Opening the microphone …", "正在打开麦克风……"),
    "live_on": ("You are live.", "实时变声中。"),
    "live_bypassed": ("You hear your own voice.", "当前为原声。"),
    "live_delay": (
        "Delay {now} ms, of which the conversion needs {least} ms.",
        "延迟 {now} 毫秒，其中转换本身需要 {least} 毫秒。",
    ),
    "live_denied": (
        "The browser was not allowed to use the microphone: allow it in the address bar.",
        "浏览器未获准使用麦克风：请在地址栏中允许。",
    ),
    "live_no_microphone": (
        "There is no microphone that the browser can use.",
        "没有浏览器可用的麦克风。",
    ),
    "live_slow": (
        "The server can't keep up, so words are lost; a longer delay may help.",
        "服务器处理不过来，有话音丢失；可尝试更长的延迟。",
    ),
    "live_lost": ("The server does not answer any more.", "服务器不再响应。"),
    "no_microphone": (
        "At this address the browser gives no microphone: that needs https or localhost. "
        "Upload recordings instead.",
        "浏览器在此地址不提供麦克风：需要 https 或 localhost。请改为上传录音。",
    ),
}
