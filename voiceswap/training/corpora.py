"""Where training's speech comes from: manifests of cuts, or shards that hold the recordings too."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lhotse import CutSet
from lhotse.cut import Cut

from voiceswap.errors import DataError


def read_cuts(path: Path, audio: bool = False) -> Iterator[Cut]:
    """The cuts of a manifest, or of a folder in Lhotse's Shar format, one after the other: never are all in memory.

    Of shards the recordings are read only with `audio`. Raises DataError when `path` is missing or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"The manifest {path} does not exist; make it with python -m data_prep.")
    shards = sorted(path.glob("cuts.*.jsonl*")) if path.is_dir() else None
    if shards == []:
        raise DataError(
            f"The folder {path} holds no shards of Lhotse's Shar format (cuts.*.jsonl.gz)."
        )
    try:
        if shards is None:
            yield from CutSet.from_jsonl_lazy(path)
        else:
            yield from (
                CutSet.from_shar(in_dir=path)
                if audio
                else CutSet.from_shar(fields={"cuts": shards})
            )
    except (EOFError, ValueError, KeyError, OSError, AssertionError) as error:
        raise DataError(
            f"{path} is damaged or no manifest of cuts ({type(error).__name__}: {error})."
        ) from error


def licences(manifests: Sequence[Path]) -> dict[str, str]:
    """Size and licence of the training part of each corpus, as the report that data_prep wrote beside its manifest has them."""
    facts = {}
    for path in map(Path, manifests):
        corpus = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix("-train")
        report = path.parent / f"{corpus}-report.json"
        try:
            known = json.loads(report.read_text())
            part = known["parts"]["train"]
            facts[corpus] = (
                f"{part['speakers']} speakers, {part['minutes']:.0f} minutes, licence: {known['licence']}"
            )
        except (OSError, ValueError, KeyError):
            facts[corpus] = "licence: not stated"
    return facts
