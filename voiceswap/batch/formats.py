"""The format and rate of an output."""

import posixpath

from voiceswap.audio_io.endings import FFMPEG_FORMATS
from voiceswap.errors import AudioError

# Endings that outputs may have.
FORMATS = (
    *("wav", "flac", "mp3", "ogg", "opus", "aiff", "aif", "au", "caf", "w64", "rf64"),
    *FFMPEG_FORMATS,
)
FALLBACK = "wav"
COMPRESSED = {"mp3": "MPEG_LAYER_III", "ogg": "VORBIS", "opus": "OPUS"} | {
    ending: "OPUS" if codec == "libopus" else "AAC" for ending, (_, codec) in FFMPEG_FORMATS.items()
}
RATES = {  # in Hz; these subtypes can hold no others
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
    "AAC": (
        *(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        *(64000, 88200, 96000),
    ),
}


def ending(name: str) -> str:
    """The ending of a file's name, in small letters and without the dot."""
    return posixpath.splitext(name)[1][1:].lower()


def output_ending(source: str) -> str:
    """The ending of an output in its source's format; wav for a format that is only read."""
    return ending(source) if ending(source) in FORMATS else FALLBACK


def rate_for(
    format: str, subtype: str | None, source: int | None, wanted: int | None
) -> int | None:
    """The sample rate of an output in Hz; None is the model's own.

    Args:
        format: the output's ending.
        subtype: the output's subtype; None is the format's usual one.
        source: the input's rate in Hz; if the format can't hold it, the next higher one is taken.
        wanted: the user's choice in Hz, which is never replaced; None if there is none.

    Raises:
        AudioError: the format can't hold the rate that the user wants.
    """
    rates = RATES.get(subtype or COMPRESSED.get(format, ""))
    rate = wanted or source
    if rate is None or rates is None or rate in rates:
        return rate
    if wanted is not None:
        raise AudioError(f"{format} can't hold {wanted} Hz; it takes {', '.join(map(str, rates))}.")
    return min((each for each in rates if each >= rate), default=rates[-1])
