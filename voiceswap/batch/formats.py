"""Which audio formats are looked for, and what an output is written as."""

import posixpath

from voiceswap.errors import AudioError

FORMATS = {  # the endings that outputs may have, and libsndfile's name of each
    "wav": "WAV",
    "flac": "FLAC",
    "mp3": "MP3",
    "ogg": "OGG",
    "opus": "OGG",
    "aiff": "AIFF",
    "aif": "AIFF",
    "au": "AU",
    "caf": "CAF",
    "w64": "W64",
    "rf64": "RF64",
}
FALLBACK = "wav"
SOUNDS = frozenset(FORMATS) | {  # the endings that a folder is searched for
    *(
        "wave",
        "oga",
        "aifc",
        "snd",
        "mp2",
        "sph",
        "nist",
        "voc",
        "sf",
        "ircam",
        "avr",
        "svx",
        "iff",
        "8svx",
        "paf",
        "pvf",
        "sds",
        "wve",
        "xi",
    )
}
COMPRESSED = {"mp3": "MPEG_LAYER_III", "ogg": "VORBIS", "opus": "OPUS"}
RATES = {  # the only ones that these can hold, in Hz
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
}
WIDE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32")


def ending(name: str) -> str:
    """The ending of a file's name, in small letters and without the dot."""
    return posixpath.splitext(name)[1][1:].lower()


def written_as(source: str) -> str:
    """The ending of an output whose format is to be its source's: the same, or wav for a format that is only read."""
    return ending(source) if ending(source) in FORMATS else FALLBACK


def subtype_for(format: str, source: str | None, wanted: str | None) -> str | None:
    """The sample format of an output, as soundfile names it; None is the format's usual one.

    `wanted` is the user's, and an AudioError if the format has no such; `source` is the input's, kept where the format
    has it. Otherwise more than 16 bits become 24 where there are 24, and anything else the usual one.
    """
    import soundfile

    def fits(subtype: str) -> bool:
        return soundfile.check_format(FORMATS[format], subtype) and (
            format != "opus" or subtype == "OPUS"
        )

    if wanted is not None:
        if not fits(wanted):
            raise AudioError(
                f"{format} has no subtype {wanted}; it has {', '.join(filter(fits, soundfile.available_subtypes(FORMATS[format])))}."
            )
        return wanted
    if source is None:
        return None
    if fits(source) and (
        source.startswith(("PCM_", "ALAC_"))
        or source in ("FLOAT", "DOUBLE", "ULAW", "ALAW", "OPUS")
    ):
        return source
    return "PCM_24" if source in WIDE and fits("PCM_24") else None


def rate_for(
    format: str, subtype: str | None, source: int | None, wanted: int | None
) -> int | None:
    """The sample rate of an output in Hz; None is the model's own.

    `wanted` is the user's, and an AudioError if the format can't hold it; `source` is the input's, of which a format
    that can't hold it takes the next higher rate that it can.
    """
    rates = RATES.get(subtype or COMPRESSED.get(format, ""))
    rate = wanted or source
    if rate is None or rates is None or rate in rates:
        return rate
    if wanted is not None:
        raise AudioError(f"{format} can't hold {wanted} Hz; it takes {', '.join(map(str, rates))}.")
    return min((each for each in rates if each >= rate), default=rates[-1])
