"""Texts of the Live tab, in English and Chinese."""

LIVE_TEXTS: dict[str, tuple[str, str]] = {
    "live": ("Live", "实时"),
    "live_heading": ("Speak in another voice", "实时变声"),
    "live_intro": (
        "Speak into the microphone, and the other voice comes out while you speak. Wear "
        "headphones, so that the microphone does not record the loudspeaker.",
        "对着麦克风说话，同时播放另一个声音。请戴耳机，以免麦克风收到扬声器的声音。",
    ),
    "live_voice": ("Voice", "声音"),
    "live_voice_info": (
        "one of the library; the Voices tab makes one from a recording",
        "从声音库中选择；在“声音库”页可用录音添加",
    ),
    "live_latency": ("Delay", "延迟"),
    "live_latency_info": (
        "a longer one keeps words clearer, and is easier for the server",
        "延迟越长，吐字越清楚，服务器的负担也越小",
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
        "浏览器找不到可用的麦克风。",
    ),
    "live_slow": (
        "The server can't keep up, so words are lost; a longer delay may help.",
        "服务器跟不上，部分语音丢失；可尝试更长的延迟。",
    ),
    "live_lost": ("The server does not answer any more.", "服务器不再响应。"),
    "no_microphone": (
        "At this address the browser gives no microphone: it does so for https and localhost only. "
        "Upload recordings instead.",
        "浏览器只在 https 或 localhost 地址提供麦克风，请改为上传录音。",
    ),
}
