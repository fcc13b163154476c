"""Common Voice: LANGUAGE/validated.tsv and LANGUAGE/clips/*.mp3, mostly 48 or 32 kHz, CC0.

Volunteers recorded it on their own devices: expect noise, echo and MP3 artefacts. A `client_id` is
one account on one device, nearly always one person. Only clips that listeners validated are used.
Clips that are listed but missing are reported as left out.
"""

import csv
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
    with open(table, encoding="utf-8", newline="") as file:
        # Without quoting: sentences contain single quotation marks.
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"client_id", "path"} <= set(rows.fieldnames or ()):
            raise DataError(f"{table} lacks the columns client_id and path.")
        # The first 16 of an account's 128 hexadecimal digits are unique.
        recordings = [
            CorpusRecording(row["client_id"][:16], folder / "clips" / row["path"]) for row in rows
        ]
    return write_manifests(
        recordings, Corpus(name or f"common-voice-{folder.resolve().name}", "CC0 1.0"), out, checks
    )
