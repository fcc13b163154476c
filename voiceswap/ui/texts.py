"""Every text of the page, in English and Chinese."""

from voiceswap.ui.texts_convert import CONVERSION_TEXTS
from voiceswap.ui.texts_live import LIVE_TEXTS
from voiceswap.ui.texts_voices import VOICE_TEXTS

LANGUAGES = ("en", "zh")
TAGS = {"en": "en", "zh": "zh-CN"}  # as browsers name them

TABLE: dict[str, tuple[str, str]] = {
    # Everywhere
    "tagline": ("Your words, another voice.", "你的话，别人的声音。"),
    "consent": (
        "Use only voices whose owners agreed, and tell that the result is synthetic wherever you "
        "share it.",
        "请仅使用已获本人同意的声音；分享结果时，请说明它是合成的。",
    ),
    "language": ("English", "中文"),  # each in itself
    "log_in": ("voiceswap: log in", "voiceswap：登录"),
    "upload": ("Upload a file", "上传文件"),
    "record": ("Record", "录音"),
    "log_in_wait": (
        "Too many wrong passwords: wait {seconds} seconds.",
        "密码错误次数过多：请等待 {seconds} 秒。",
    ),
    "light": ("Light or dark", "浅色或深色"),
    "noted": ("Please note", "请注意"),
    "done": ("Done", "完成"),
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
        "{name} is longer than {limit} minutes, the most that can be used here; cut it first.",
        "{name} 超过 {limit} 分钟的上限，请先剪短。",
    ),
    "too_long_together": (
        "The recordings are longer than {limit} minutes together; leave some out.",
        "这些录音的总时长超过 {limit} 分钟，请去掉一些。",
    ),
    "processing": ("processing", "处理中"),
    "queued": ("queue: ", "排队："),
    "reset": ("Reset to the usual value", "恢复默认值"),
    "stop": ("Stop", "停止"),
    "remaining": ("{doing}, about {time} left", "{doing}，约剩余 {time}"),
    "before": ("before", "之前"),
    "after": ("after", "之后"),
    "or_example": ("or take an example", "或使用示例"),
    "more_recordings": ("More recordings of the same voice", "同一声音的更多录音"),
    # About
    "about": ("About", "关于"),
    "about_heading": ("About this page", "关于本页"),
    "must_not": ("Prohibited uses", "禁止用途"),
    "must_not_text": (
        "Impersonation, deception, harassment, or getting around voice authentication; any voice "
        "whose owner did not agree. "
        "Tell that a result is synthetic wherever you share it. Assume that a voice alone proves "
        "nobody's identity.",
        "不得用来冒充、欺骗、骚扰他人或绕过声纹验证；不得使用未经本人同意的声音。"
        "分享结果时，请说明它是合成的。请记住：仅凭声音不能证明任何人的身份。",
    ),
    "model": ("Model", "模型"),
    "model_code": ("Model fingerprint", "模型指纹"),
    "unnamed": ("unnamed", "未命名"),
    "unknown": ("not stated", "未说明"),
    "licence": ("Licence", "许可证"),
    "rate": ("Sample rate", "采样率"),
    "device": ("Device in use", "所用设备"),
    "version": ("voiceswap", "voiceswap"),
    "limits": ("Limits here", "使用限制"),
    "limits_text": (
        "swaps and references {short} minutes, conversions {long}, a batch {batch} together; files "
        "{size:g} MB; {queue} requests may wait",
        "互换的录音和参考录音最长 {short} 分钟，转换的录音最长 {long} 分钟，一次批量转换总时长 "
        "{batch} 分钟；文件最大 {size:g} MB；最多 {queue} 个请求排队",
    ),
    "figures": ("Measured figures", "实测指标"),
    "figures_note": (
        "DV and SV: similarity to the target by two speaker verifiers; CER and WER: errors of a "
        "speech recogniser; "
        "MOS: naturalness from 1 to 5, predicted.",
        "DV、SV：两个说话人验证模型测得的与目标声音的相似度；CER、WER：语音识别的错误率；"
        "MOS：预测的自然度，1 到 5。",
    ),
    "card_set": ("set", "测试集"),
    "card_f0": ("F0 correlation", "F0 相关系数"),
    "card_front_end": ("front end", "前端"),
    "card_verifier": ("speaker verifier", "说话人验证模型"),
    "data": ("Training data and licences", "训练数据与许可证"),
    "pretrained": ("Pretrained parts", "预训练组件"),
}
TABLE |= CONVERSION_TEXTS | LIVE_TEXTS | VOICE_TEXTS


class Texts:
    """The table in one language."""

    def __init__(self, language: str = "en"):
        self.language, self._column = language, LANGUAGES.index(language)

    @property
    def tag(self) -> str:
        """The language as browsers name it."""
        return TAGS[self.language]

    def other(self) -> "Texts":
        """The table in the other language."""
        return Texts(next(language for language in LANGUAGES if language != self.language))

    def __getitem__(self, name: str) -> str:
        return TABLE[name][self._column]


def minutes(seconds: float) -> str:
    """A length in minutes, as a limit is told."""
    return f"{round(seconds / 60, 1):g}"


def clock(seconds: float) -> str:
    """Seconds as minutes:seconds."""
    whole, seconds = divmod(round(seconds), 60)
    return f"{whole}:{seconds:02d}"
