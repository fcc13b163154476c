"""Two short recordings for `voiceswap demo`: a man says hello, a woman says goodbye.

Made with Kokoro-82M (Apache-2.0), 24 kHz, in voices that no training had, am_michael and af_heart:
"Hello there! It's so good to hear your voice again." and "Goodbye, my friend. I'll see you tomorrow
morning."
"""

from pathlib import Path

HELLO = Path(__file__).parent / "hello.flac"
GOODBYE = Path(__file__).parent / "goodbye.flac"
