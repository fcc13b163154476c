"""Make the F0 tracker's weights from the published ones.

    pip install onnx swift-f0==0.3.0 && python recipes/default/pack_f0_tracker.py

reads `model.onnx` of the installed swift-f0 package (Lars Nieradzik, MIT licence).
"""

from importlib.resources import files

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file

from voiceswap.dsp.f0_tracker import BANDS, SIZES, WEIGHTS, F0Tracker


def main() -> None:
    """Write the file."""
    graph = onnx.load(str(files("swift_f0") / "model.onnx")).graph
    known = {item.name: torch.tensor(numpy_helper.to_array(item)) for item in graph.initializer}
    network, state = F0Tracker(), {}
    modules = {module: name for name, module in network.named_modules()}
    order = [
        network.input,
        *(layer for block in network.body for layer in (block.first, block.second)),
    ]
    order += [network.narrow, network.peak, network.pitch, network.hidden, network.voicing]
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    for node, module in zip(convolutions, order, strict=True):
        state[f"{modules[module]}.weight"] = known[node.input[1]]
        state[f"{modules[module]}.bias"] = known[node.input[2]]
    scattered = [node for node in graph.node if node.op_type == "ScatterElements"]
    for size, node in zip(SIZES, scattered, strict=True):
        places, values = known[node.input[1]], known[node.input[2]]
        state[f"bank_{size}.index"] = torch.stack([places // BANDS, places % BANDS]).int()
        state[f"bank_{size}.value"] = values
    compared = next(node for node in graph.node if node.op_type == "GreaterOrEqual")
    state["candidates"] = known[compared.input[0]]
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, WEIGHTS)


if __name__ == "__main__":
    main()
