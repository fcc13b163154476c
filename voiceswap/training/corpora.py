"""Speech for training: manifests of cuts, or shards that hold the recordings too."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lhotse import CutSet
from lhotse.cut import Cut
from lhotse.utils import fastcopy

from voiceswap.errors import DataError
from voiceswap.results_log import name_hash


def read_cuts(path: Path, audio: bool = False) -> Iterator[Cut]:
    """The cuts of a manifest, or of a folder in Lhotse's Shar format.

    Yields cuts one at a time, each of a speaker. From shards, recordings are read only with
    `audio`. Raises DataError when `path` is missing, damaged, or a manifest of something else.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"The manifest {path} does not exist; make it with python -m data_prep.")
    shards = sorted(path.glob("cuts.*.jsonl*")) if path.is_dir() else None
    if shards == []:
        raise DataError(
            f"The folder {path} holds no shards of Lhotse's Shar format (cuts.*.jsonl.gz); "
            "of a folder of manifests, name each file."
        )
    try:
        if shards is None:
            cuts = CutSet.from_jsonl_lazy(path)
        elif audio:
            cuts = CutSet.from_shar(in_dir=path)
        else:
            cuts = CutSet.from_shar(fields={"cuts": shards})
        for cut in cuts:
            if not (isinstance(cut, Cut) and cut.has_recording):
                raise ValueError(f"{cut.id} is no cut of a recording")
            if not (cut.supervisions and cut.supervisions[0].speaker):
                raise ValueError(f"{cut.id} has no speaker")
            yield cut
    # What Lhotse raises for damaged files, and for JSON of something else.
    except (
        EOFError,
        LookupError,
        OSError,
        AssertionError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise DataError(
            f"{path} is damaged or no manifest of cuts ({type(error).__name__}: {error}); make it "
            "with python -m data_prep."
        ) from error


def licences(manifests: Sequence[Path]) -> dict[str, str]:
    """Size and licence of each corpus's training part, from the report beside its manifest."""
    entries = {}
    for path in map(Path, manifests):
        corpus = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix("-train")
        report = path.parent / f"{corpus}-report.json"
        try:
            known = json.loads(report.read_text(encoding="utf-8"))
            part = known["parts"]["train"]
            entries[corpus] = (
                f"{part['speakers']} speakers, {part['minutes']:.0f} minutes, "
                f"licence: {known['licence']}"
            )
        except (OSError, ValueError, KeyError):
            entries[corpus] = "licence: not stated"
    return entries


def virtual_voice(cut: Cut, speeds: Sequence[float]) -> Cut:
    """The cut at another speed, with pitch and formants moved: the cut of another speaker.

    A speaker's name decides which of `speeds` it is, so all cuts of one speaker get the same.

    Speaker verification augments its speakers in this way (Yamamoto et al., "Speaker augmentation
    and bandwidth extension for deep speaker embedding", 2019).
    """
    speaker = cut.supervisions[0].speaker
    speed = speeds[name_hash(speaker) % len(speeds)]
    return cut.perturb_speed(speed).map_supervisions(
        lambda voice: fastcopy(voice, speaker=f"{speaker} at {speed}")
    )
