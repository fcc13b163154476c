"""The format, subtype and rate of an output."""

import posixpath

from voiceswap.audio_io.endings import FFMPEG_FORMATS, libsndfile_format
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
ABOVE_16_BITS = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32")
KEPT_SUBTYPES = ("FLOAT", "DOUBLE", "ULAW", "ALAW", "OPUS")  # beside those of PCM_ and ALAC_


def ending(name: str) -> str:
    """The ending of a file's name, in small letters and without the dot."""
    return posixpath.splitext(name)[1][1:].lower()


def output_ending(source: str) -> str:
    """The ending of an output in its source's format; wav for a format that is only read."""
    return ending(source) if ending(source) in FORMATS else FALLBACK


def subtype_for(format: str, source: str | None, wanted: str | None) -> str | None:
    """The sample format of an output.

    Args:
        format: the output's ending.
        source: the input's subtype, as soundfile names it. It is kept where the format has it;
            otherwise more than 16 bits become PCM_24 where the format has that.
        wanted: the user's choice, which is never replaced; None if there is none.

    Returns:
        A subtype as soundfile names it; None for the format's usual one.

    Raises:
        AudioError: the format does not have the subtype that the user wants.
    """
    import soundfile

    def fits(subtype: str) -> bool:
        known = soundfile.check_format(libsndfile_format(format), subtype)
        return known and (format != "opus" or subtype == "OPUS")

    if wanted is not None:
        if not fits(wanted):
            known = soundfile.available_subtypes(libsndfile_format(format))
            subtypes = ", ".join(filter(fits, known)) or "one alone"
            raise AudioError(f"{format} has no subtype {wanted}; it has {subtypes}.")
        return wanted
    if source is None:
        return None
    if fits(source) and (source.startswith(("PCM_", "ALAC_")) or source in KEPT_SUBTYPES):
        return source
    return "PCM_24" if source in ABOVE_16_BITS and fits("PCM_24") else None


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
