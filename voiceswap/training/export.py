"""Training checkpoints to the one file that VoiceSwapper reads."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.files import sha256, whole_file
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import BUILDERS, Checkpoint, load_checkpoint, save_checkpoint
from voiceswap.models.speaker_distribution import SpeakerDistribution
from voiceswap.training.speaker_codes import fit_speakers


def export(
    autoencoder: Sequence[Path],
    vocoder: Path | None,
    out: Path,
    card: Path | None = None,
    streaming: Path | None = None,
    front_end: Path | None = None,
    denoiser: Path | None = None,
    speakers: Sequence[Path] = (),
) -> tuple[Path, str]:
    """Write the networks of training checkpoints, or of model files, to the model file `out`.

    Args:
        autoencoder: of several, the weights are averaged: a later stage of training and the one
            before it together may keep what each is better at (Wortsman et al., "Model soups",
            2022).
        vocoder, streaming, front_end, denoiser: the files of the other networks; None leaves
            one out.
        out: the file to write. Its SHA-256 goes into `out`.sha256, for `sha256sum --check`.
        speakers: manifests of recordings; random voices become as their speakers' codes are
            distributed. Without, one autoencoder that comes from a model file keeps the
            distribution that it had there.
        card: a JSON file, the model card. Data, licences and training settings that it lacks come
            from the checkpoints; where these differ, from the last named.

    Returns:
        The path and its SHA-256.

    Raises:
        CheckpointError: a file does not hold the network asked for, or networks of different sizes
            are to be averaged.
        DataError: the manifests have fewer than two speakers, or can't be read.
    """
    metadata = _card(card) if card else {}
    autoencoders = [_read(path, "autoencoder") for path in autoencoder]
    named = {
        "vocoder": vocoder,
        "streaming": streaming,
        "front_end_adapter": front_end,
        "denoiser": denoiser,
    }
    others = {name: _read(path, name) for name, path in named.items() if path}
    data: dict[str, str] = {}
    found: dict[str, Any] = {}
    for name, origin in [*(("autoencoder", one) for one in autoencoders), *others.items()]:
        data |= origin.data
        if origin.settings:
            found[f"{name} training"] = origin.settings
    if data:
        found["data"] = data
    checkpoint = Checkpoint(
        _mean(autoencoders),
        card=found | metadata,
        content_log_variance=_mean_log_variance(autoencoders),
        **{name: origin.network for name, origin in others.items()},
    )
    if len(autoencoders) == 1:
        checkpoint.speaker_distribution = autoencoders[0].speakers
    if speakers:
        checkpoint.speaker_distribution = fit_speakers(checkpoint, speakers)
    path = save_checkpoint(out, checkpoint)
    digest = sha256(path)
    line = os.fsencode(f"{digest}  {path.name}\n")
    with whole_file(path.with_name(f"{path.name}.sha256"), CheckpointError) as temporary:
        temporary.write_bytes(line)
    return path, digest


@dataclass(frozen=True)
class _Origin:
    """A network of a file, and what the file records of it.

    data: the corpora that it learned from, and their licences. settings: of its training. Both are
    empty where the file is a model's. log_variance: mean log-variance of the content posterior over
    speech, None where it was not measured. speakers: how the codes of a model file's autoencoder
    are distributed, None where the file has none.
    """

    path: str | os.PathLike
    network: Any
    log_variance: float | None
    data: dict[str, str]
    settings: dict[str, Any]
    speakers: SpeakerDistribution | None = None


def _mean(autoencoders: Sequence[_Origin]) -> Autoencoder:
    """The first of the autoencoders, which takes the mean of all their weights."""
    first, *others = [origin.network for origin in autoencoders]
    for origin, other in zip(autoencoders[1:], others, strict=True):
        first.audio.require_same(other.audio, str(autoencoders[0].path), str(origin.path))
        if other.architecture != first.architecture:
            raise CheckpointError(
                f"The autoencoders of {autoencoders[0].path} and {origin.path} are not of one "
                "size, so they have no mean."
            )
    with torch.no_grad():
        for together in zip(
            first.parameters(), *(other.parameters() for other in others), strict=True
        ):
            together[0].copy_(torch.stack(together).mean(0))
    return first


def _mean_log_variance(autoencoders: Sequence[_Origin]) -> float | None:
    """The mean over the files, None where one lacks it."""
    found = [origin.log_variance for origin in autoencoders]
    known = [usual for usual in found if usual is not None]
    return sum(known) / len(known) if len(known) == len(found) else None


def _shared(value: Any) -> Any:
    """A setting for the model card: of a path only the name, since folders are private."""
    return Path(value).name if isinstance(value, str) else value


def _card(path: Path) -> dict:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or not JSON ({error}).") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path} must hold a JSON object.")
    return metadata


def load_network(path: str | os.PathLike, name: str, wanted: AudioConfig | None = None) -> Any:
    """The network `name`, one of BUILDERS, of a training checkpoint or a model file.

    "default" is the model in the package. The averaged weights, if the run kept an average. Raises
    CheckpointError when the file does not hold it, or holds it for other audio settings than those
    `wanted`.
    """
    return _read(path, name, wanted).network


def _read(path: str | os.PathLike, name: str, wanted: AudioConfig | None = None) -> _Origin:
    """The network `name` and what else the file holds. Arguments and errors: `load_network`."""
    if str(path) == "default" or Path(path).suffix.lower() == ".safetensors":
        model = load_checkpoint(path)
        network = getattr(model, name)
        if network is None:
            raise CheckpointError(f"{path} holds no {name}.")
        if wanted:
            wanted.require_same(
                network.config if name == "vocoder" else network.audio, "data.audio", str(path)
            )
        usual, speakers = model.content_log_variance, model.speaker_distribution
        return _Origin(path, network.train(), usual, {}, {}, speakers)
    saved = read_training_checkpoint(path, name)
    try:
        description = saved["voiceswap"][name]
        audio = AudioConfig(**description["audio"])
        if wanted:
            wanted.require_same(audio, "data.audio", str(path))
        built: Any = BUILDERS[name](audio, **description["architecture"])
        weights = {
            key.removeprefix(f"{name}."): value
            for key, value in saved["state_dict"].items()
            if key.startswith(f"{name}.")
        }
        built.load_state_dict(weights)
        settings = {
            key: _shared(value)
            for key, value in saved.get("hyper_parameters", {}).items()
            if not key.startswith("_")
        }
        return _Origin(
            path,
            built,
            saved["voiceswap"].get("content_log_variance"),
            saved.get("SpeechData", {}).get("data", {}),
            {"steps made": saved["global_step"], **settings},
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"This version can't build the {name} of {path}; export it with the version that "
            "trained it."
        ) from error


def read_training_checkpoint(path: str | os.PathLike, name: str) -> dict[str, Any]:
    """The training checkpoint of a network `name`.

    Raises CheckpointError when the file is anything else.
    """
    if not Path(path).exists():
        raise CheckpointError(f"{path} does not exist.")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        saved["voiceswap"][name]
    # There is no telling what bytes of another kind raise when they are read as a pickle.
    except Exception as error:
        raise CheckpointError(
            f"{path} is not a training checkpoint of a voiceswap {name}."
        ) from error
    return saved
