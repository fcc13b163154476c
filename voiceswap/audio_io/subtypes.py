"""Sample formats of outputs, by those of their sources."""

import os
from pathlib import Path

import soundfile

from voiceswap.audio_io.decoding import sound_info
from voiceswap.audio_io.endings import libsndfile_format
from voiceswap.errors import AudioError

ABOVE_16_BITS = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32")
KEPT_SUBTYPES = ("FLOAT", "DOUBLE", "ULAW", "ALAW", "OPUS")  # beside those of PCM_ and ALAC_


def fine_subtype(out: str | os.PathLike, source: str | os.PathLike) -> str | None:
    """The subtype of a file `out` whose source has more than 16 bits; None for other sources.

    So the output of a soft source is as fine as it. A pipe can't be read twice, and counts as one
    of 16 bits. Raises AudioError for a source that can't be read.
    """
    own = sound_info(Path(source)).subtype if Path(source).is_file() else None
    format = Path(out).suffix[1:].lower()
    return subtype_for(format, own, None) if own in ABOVE_16_BITS else None


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
