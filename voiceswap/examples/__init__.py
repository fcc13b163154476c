"""Short recordings: a man says hello and a woman goodbye, in English and in Mandarin.

Made with Kokoro-82M (Apache-2.0), 24 kHz, in voices that no training had. English, am_michael and
af_heart: "Hello there! It's so good to hear your voice again." and "Goodbye, my friend. I'll see
you tomorrow morning." Mandarin, zm_yunyang and zf_xiaoyi: "你好！很高兴又听到你的声音。" and
"再见，我的朋友。我们明天早上见。"
"""

from pathlib import Path

HELLO, GOODBYE, NIHAO, ZAIJIAN = (
    Path(__file__).parent / f"{name}.flac" for name in ("hello", "goodbye", "nihao", "zaijian")
)
BY_LANGUAGE = {"en": (HELLO, GOODBYE), "zh": (NIHAO, ZAIJIAN)}
