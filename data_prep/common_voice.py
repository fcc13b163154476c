"""Common Voice: LANGUAGE/validated.tsv and LANGUAGE/clips/*.mp3, mostly 48 or 32 kHz, CC0.

Recorded by volunteers on what they had at hand: noise, echo and MP3. A `client_id` is one account on one device, nearly
always one person. Only clips that listeners confirmed are used. Those listed but not there are left out and said so.
"""

import csv
from pathlib import Path

from data_prep.manifests import Corpus, Found, write_manifests
from data_prep.speech_check import STANDARD, Checks
from voiceswap.errors import DataError


def prepare_common_voice(
    folder: Path, out: Path, checks: Checks = STANDARD, name: str | None = None
) -> dict[str, int | str]:
    """One language of Common Voice, such as cv-corpus-21.0/pl."""
    table = folder / "validated.tsv"
    if not table.is_file():
        raise DataError(
            f"{folder} holds no validated.tsv; give one language of Common Voice, such as cv-corpus-21.0/pl."
        )
    with open(table, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(
            file, delimiter="\t", quoting=csv.QUOTE_NONE
        )  # its sentences hold lone quotation marks
        if not {"client_id", "path"} <= set(rows.fieldnames or ()):
            raise DataError(f"{table} lacks the columns client_id and path.")
        # 16 of the 128 hexadecimal digits of an account tell it from every other.
        found = [Found(row["client_id"][:16], folder / "clips" / row["path"]) for row in rows]
    return write_manifests(
        found, Corpus(name or f"common-voice-{folder.resolve().name}", "CC0 1.0"), out, checks
    )
