"""Files that the page makes for a visitor: where they lie, and their names."""

import secrets
from pathlib import Path

from gradio.utils import get_upload_folder

from voiceswap.audio_io.writing import write_audio
from voiceswap.conversion.voice import Voice
from voiceswap.conversion.voice_library import file_name
from voiceswap.examples import BY_LANGUAGE, NIHAO, ZAIJIAN
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.texts import Texts


def new_file(name: str) -> Path:
    """A path for one visitor's file, in the folder that is emptied, at a random address."""
    folder = Path(get_upload_folder()) / secrets.token_hex(32)
    folder.mkdir(parents=True)
    return folder / name


def title(recording: str | Path) -> str:
    """What a visitor calls a recording: its name without the ending, the examples' in Chinese."""
    stem = Path(recording).stem
    return {NIHAO.stem: "你好", ZAIJIAN.stem: "再见"}.get(stem, stem)


def result_title(text: Texts, words: str, voice: str) -> str:
    """What a visitor reads of a conversion: whose words it has, and whose voice."""
    return text["in_voice_of"].format(words=words, voice=voice)


def result_file(text: Texts, words: str | Path, voice: str | Path, ending: str = "wav") -> Path:
    """A new sound file named after the recordings whose words, and whose voice, it has."""
    name = text["result_name"].format(words=_short(words), voice=_short(voice))
    return new_file(f"{name}.{ending}")


def dialogue_file(text: Texts, source: str | Path, ending: str) -> Path:
    """A new sound file named after the dialogue that is converted."""
    return new_file(f"{text['dialogue_name'].format(words=_short(source))}.{ending}")


def _short(recording: str | Path) -> str:
    # A file's name has 255 bytes at most, and on Windows its whole path 259 characters, of which
    # the folder may need 145.
    return title(recording).encode()[:100].decode(errors="ignore")[:45]


def example_file(context: AppContext, voice: Voice, name: str) -> str:
    """The example sentence of the page's language in a voice, as a file of that name."""
    sentence, _ = BY_LANGUAGE[context.text.language]
    samples = context.swapper.convert(sentence, voice)
    path = new_file(f"{file_name(name)}.wav")
    return str(write_audio(path, samples, context.swapper.sample_rate))
