"""Make the two pretrained networks of the package from their published files.

    python recipes/default/pack_pretrained.py WHISPER_BASE_DIR RESEMBLYZER_PT

WHISPER_BASE_DIR holds the multilingual Whisper base model in CTranslate2 form (`model.bin`; OpenAI,
MIT licence). RESEMBLYZER_PT is `resemblyzer/pretrained.pt` of the Resemblyzer 0.1.4 package
(Resemble AI, Apache-2.0).
"""

import struct
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from voiceswap.models.front_ends import WhisperFrontEnd
from voiceswap.models.pretrained import VERIFIER, WHISPER_BASE
from voiceswap.models.quantization import quantize
from voiceswap.models.speaker_verifier import SpeakerVerifier


def read_ctranslate2(path: Path) -> dict[str, np.ndarray]:
    """Every tensor of a CTranslate2 `model.bin`, by name."""
    kinds = {0: "float32", 1: "int8", 2: "int16", 3: "int32", 4: "float16"}
    tensors = {}
    with open(path, "rb") as file:

        def number(kind: str) -> int:
            return struct.unpack("<" + kind, file.read(struct.calcsize(kind)))[0]

        def text() -> str:
            return file.read(number("H"))[:-1].decode()

        number("I"), text(), number("I")  # format version, model name and revision
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            kind, raw = number("B"), file.read(number("I"))
            if kind in kinds:
                tensors[name] = np.frombuffer(raw, kinds[kind]).reshape(shape)
    return tensors


def whisper_state(tensors: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The encoder's tensors under the names of `WhisperFrontEnd`."""
    state = {}

    def copy(ours: str, theirs: str) -> None:
        norm = "norm" in ours
        for end, other in (
            ("weight", "gamma" if norm else "weight"),
            ("bias", "beta" if norm else "bias"),
        ):
            state[f"{ours}.{end}"] = torch.from_numpy(
                tensors[f"encoder/{theirs}/{other}"].astype("float32")
            )

    for name in ("conv1", "conv2"):
        copy(name, name)
    copy("norm", "layer_norm")
    for i in range(6):
        ours, theirs = f"layers.{i}", f"layer_{i}"
        copy(f"{ours}.attention_norm", f"{theirs}/self_attention/layer_norm")
        copy(f"{ours}.query_key_value", f"{theirs}/self_attention/linear_0")
        copy(f"{ours}.attention_out", f"{theirs}/self_attention/linear_1")
        copy(f"{ours}.feed_norm", f"{theirs}/ffn/layer_norm")
        copy(f"{ours}.feed_in", f"{theirs}/ffn/linear_0")
        copy(f"{ours}.feed_out", f"{theirs}/ffn/linear_1")
    return state


def main(whisper_dir: str, resemblyzer_pt: str) -> None:
    """Write both files into the package."""
    state = whisper_state(read_ctranslate2(Path(whisper_dir) / "model.bin"))
    WhisperFrontEnd().load_state_dict(state)  # raises on a missing name or a wrong shape
    quantized = quantize(state, eight_bits=lambda name: state[name].ndim > 1)
    save_file(
        quantized,
        WHISPER_BASE,
        {"origin": "OpenAI Whisper base (multilingual), encoder", "licence": "MIT"},
    )
    state = torch.load(resemblyzer_pt, map_location="cpu", weights_only=True)["model_state"]
    state = {
        name: tensor for name, tensor in state.items() if name.startswith(("lstm.", "linear."))
    }
    SpeakerVerifier().load_state_dict(state)
    # Half precision only: rounding errors add up in a recurrent network.
    quantized = quantize(state, eight_bits=lambda name: False)
    save_file(
        quantized,
        VERIFIER,
        {"origin": "Resemblyzer 0.1.4, Resemble AI (GE2E)", "licence": "Apache-2.0"},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
