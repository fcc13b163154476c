"""`voiceswap train` and `voiceswap export`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from voiceswap.commands.options import FREE_NAME, Overwrite
from voiceswap.commands.outputs import console, output_file, plain, written
from voiceswap.errors import VoiceswapError, needs_extra
from voiceswap.models.checkpoint_header import checkpoint_path

PARTS = {  # what export takes after the training of a network, the rest from the package's model
    "autoencoder": "{last} --vocoder default",
    "vocoder": "default --vocoder {last}",
    "high-band": "default --vocoder {last}",
    "front-end": "default --vocoder default --streaming default --front-end {last}",
    "denoiser": "default --vocoder default --streaming default --front-end default "
    "--denoiser {last}",
    "streaming": "default --vocoder default --streaming {last}",
}


def train(
    context: typer.Context,
    network: Annotated[
        str,
        typer.Argument(
            help="autoencoder, vocoder, high-band for what the vocoder adds above the mel "
            "spectrogram, front-end for speech in noise and rooms, denoiser for references in "
            "noise, or streaming for the encoder of live conversion.",
            show_default=False,
        ),
    ],
) -> None:
    """Train a network. Other options are LightningCLI's, such as --config and --ckpt_path."""
    if network not in PARTS:
        raise VoiceswapError(f"There is no network '{network}' to train; use {', '.join(PARTS)}.")
    with needs_extra("Training", "train"):
        from voiceswap.training.run import train as run
    parts = PARTS[network].format(last=run(network, context.args))
    console.print(
        f"Trained. 'voiceswap export {parts} --out my-model.safetensors' makes a model of it, and "
        "'voiceswap ui --checkpoint my-model.safetensors' opens it on the page.",
        soft_wrap=True,
        markup=False,
    )


def export(
    autoencoder: Annotated[
        list[Path],
        typer.Argument(
            help="An autoencoder's training checkpoint, or a model file to take it from; the "
            "weights of several are averaged.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"Model file to write, or a folder. {FREE_NAME}", show_default="model.safetensors"
        ),
    ] = None,
    vocoder: Annotated[
        Path | None,
        typer.Option(help="A vocoder's training checkpoint, or a model file to take it from."),
    ] = None,
    streaming: Annotated[
        Path | None,
        typer.Option(help="A streaming encoder's training checkpoint, or a model file."),
    ] = None,
    front_end: Annotated[
        Path | None,
        typer.Option(help="A front-end adapter's training checkpoint, or a model file."),
    ] = None,
    denoiser: Annotated[
        Path | None, typer.Option(help="A denoiser's training checkpoint, or a model file.")
    ] = None,
    speakers: Annotated[
        list[Path] | None,
        typer.Option(
            help="Manifests of recordings by speaker, such as those of the training: random voices "
            "are drawn as the codes of these speakers are distributed."
        ),
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="JSON with data, licences and measured figures.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Pack training checkpoints into one model file, for --checkpoint and VoiceSwapper.load."""
    named = [*autoencoder, vocoder, streaming, front_end, denoiser]
    inputs = [checkpoint_path(path) for path in named if path]
    inputs += [*(speakers or ()), *([card] if card else [])]
    with needs_extra("Training", "train"):
        from voiceswap.training.export import export as pack
    chosen = output_file(out, "model.safetensors", inputs, overwrite, "A model's file")
    path, digest = pack(
        autoencoder, vocoder, chosen, card, streaming, front_end, denoiser, speakers or ()
    )
    written(path, f"SHA-256 {digest}")
    use = f"Open it on the page: voiceswap ui --checkpoint {path}"
    console.print(Text(plain(use)), soft_wrap=True)
