"""Common Voice: LANGUAGE/validated.tsv and LANGUAGE/clips/*.mp3, mostly 48 or 32 kHz, CC0.

Volunteers recorded it on their own devices: expect noise, echo and MP3 artefacts. A `client_id` is
one account on one device, nearly always one person. Only clips that listeners validated are used.
Clips that are listed but missing, and rows that are not whole, are reported as left out.
"""

from pathlib import Path

from data_prep.manifests import Corpus, CorpusRecording, write_manifests
from data_prep.speech_check import DEFAULT_CHECKS, Checks
from voiceswap.errors import DataError


def prepare_common_voice(
    folder: Path, out: Path, checks: Checks = DEFAULT_CHECKS, name: str | None = None
) -> dict[str, int | str]:
    """One language of Common Voice, such as cv-corpus-21.0/pl."""
    table = folder / "validated.tsv"
    if not table.is_file():
        raise DataError(
            f"{folder} holds no validated.tsv; give one language of Common Voice, such as "
            "cv-corpus-21.0/pl."
        )
    recordings, incomplete = [], {}
    # Without quoting: sentences contain single quotation marks. A table that was cut off may end
    # within a character, or with null characters.
    with open(table, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        lines = (line.rstrip("\r\n\0").split("\t") for line in file)
        columns = next(lines, [])
        if not {"client_id", "path"} <= set(columns):
            raise DataError(f"{table} lacks the columns client_id and path.")
        for number, values in enumerate(lines, 2):
            row = dict(zip(columns, values, strict=False))
            account, clip = row.get("client_id"), row.get("path")
            if account and clip:
                # The first 16 of an account's 128 hexadecimal digits are unique.
                recordings.append(CorpusRecording(account[:16], folder / "clips" / clip))
            elif any(values):
                incomplete[f"{table}, line {number}"] = "lacks a client_id or a path"
    corpus = Corpus(name or f"common-voice-{folder.resolve().name}", "CC0 1.0")
    return write_manifests(recordings, corpus, out, checks, incomplete)
