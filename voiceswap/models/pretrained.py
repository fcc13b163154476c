"""Pretrained networks of others in the package, in files of their own; they are never trained."""

from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from voiceswap import weights
from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig
from voiceswap.models.front_ends import MelFrontEnd, WhisperFrontEnd
from voiceswap.models.quantization import dequantize
from voiceswap.models.speaker_verifier import SpeakerVerifier

Network = TypeVar("Network", bound=nn.Module)
WHISPER_BASE = weights.FOLDER / "whisper-base-encoder.safetensors"
VERIFIER = weights.FOLDER / "ge2e-verifier.safetensors"


FrontEnd = MelFrontEnd | WhisperFrontEnd


def front_end(name: str, config: AudioConfig) -> FrontEnd:
    """The front end called `name`: "mel", "whisper-base" or "whisper-base:N".

    N is how many of Whisper's six layers are run: later ones carry more of the words' meaning and
    less of their sound. Without gradients, in evaluation mode. Raises CheckpointError for an
    unknown name or audio settings that it can't use.
    """
    if name == "mel":
        return _freeze(MelFrontEnd(config))
    layers = whisper_layers(name)
    if not layers:
        raise _unknown(name)
    if config.sample_rate != 16000 or config.hop_length != 160:
        raise CheckpointError(
            f"The front end {name} needs 16000 Hz in steps of 160 samples, not "
            f"{config.sample_rate} Hz in steps of {config.hop_length}."
        )
    network = WhisperFrontEnd(layers)
    state = _read(WHISPER_BASE)
    network.load_state_dict({key: state[key] for key in network.state_dict()})
    return _freeze(network)


def front_end_shape(name: str, config: AudioConfig) -> tuple[int, int]:
    """Channels of the front end called `name`, and the length of its frames in mel frames."""
    if whisper_layers(name):  # known without reading its weights
        return WhisperFrontEnd.channels, WhisperFrontEnd.stride
    if name == "mel":
        return config.n_mels, MelFrontEnd.stride
    raise _unknown(name)


def _unknown(name: str) -> CheckpointError:
    most = WhisperFrontEnd.most_layers
    return CheckpointError(
        f"There is no front end '{name}'; use mel, whisper-base or whisper-base:1 to :{most}."
    )


def whisper_layers(name: str) -> int:
    """How many layers of Whisper base a front end of this name has; 0 if it is none."""
    names = {f"whisper-base:{count}": count for count in range(1, WhisperFrontEnd.most_layers + 1)}
    return (names | {"whisper-base": WhisperFrontEnd.most_layers}).get(name, 0)


def speaker_verifier() -> SpeakerVerifier:
    """The speaker verifier, without gradients and in evaluation mode."""
    network = SpeakerVerifier()
    network.load_state_dict(_read(VERIFIER))
    return _freeze(network)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return dequantize(load_file(path))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is missing from the package or damaged; install voiceswap again."
        ) from error


def _freeze(network: Network) -> Network:
    return network.eval().requires_grad_(False)
