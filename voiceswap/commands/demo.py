"""`voiceswap demo`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from voiceswap.commands.convert import load_swapper
from voiceswap.commands.options import Device, Precision
from voiceswap.commands.outputs import console, require_folder, written
from voiceswap.files import require_writable


def demo(
    out: Annotated[
        Path,
        typer.Option(help="Folder for four recordings and a picture, in place of an earlier demo."),
    ] = Path("voiceswap-demo"),
    lang: Annotated[
        Literal["en", "zh"], typer.Option(help="Language of the recordings: English or Mandarin.")
    ] = "en",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two short recordings that come with the package: A says hello, B says goodbye."""
    from voiceswap.audio import read_audio
    from voiceswap.audio_io.writing import COMMENT, write_audio
    from voiceswap.examples import BY_LANGUAGE
    from voiceswap.plots import draw_mels

    require_folder(out)
    require_writable(out / "mels.png")
    swapper = load_swapper("default", device, precision)
    rate = swapper.sample_rate
    examples = BY_LANGUAGE[lang]
    hello, goodbye = (read_audio(example, rate) for example in examples)
    with console.status("Converting ..."):
        hello_by_b, goodbye_by_a = swapper.swap(*examples)
    results = {
        "a-says-hello": (hello, "A says hello, as recorded"),
        "b-says-goodbye": (goodbye, "B says goodbye, as recorded"),
        "a-says-goodbye": (goodbye_by_a, "A says goodbye: B's words in A's voice"),
        "b-says-hello": (hello_by_b, "B says hello: A's words in B's voice"),
    }
    for name, (samples, what) in results.items():
        recorded = samples is hello or samples is goodbye
        comment = what if recorded else COMMENT
        written(write_audio(out / f"{name}.wav", samples, rate, comment=comment), what)
    views = {what: samples for samples, what in results.values()}
    picture = draw_mels(views, rate, out / "mels.png")
    written(picture, "the four mel spectrograms, F0 in blue")
