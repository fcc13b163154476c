"""python -m data_prep CORPUS DIR OUT"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from data_prep.librispeech import prepare_librispeech
from data_prep.speakers import prepare_speakers
from voiceswap.errors import VoiceswapError

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]


@app.command()
def librispeech(part: Folder, out: Path) -> None:
    """One part of LibriSpeech, such as LibriSpeech/train-clean-100."""
    report(prepare_librispeech(part, out), out)


@app.command()
def speakers(
    folder: Folder,
    out: Path,
    name: Annotated[str, typer.Option(help="Names the manifests, when there are several such folders.")] = "speakers",
) -> None:
    """A folder with one folder of recordings a speaker."""
    report(prepare_speakers(folder, out, name), out)


def report(counts: dict, out: Path) -> None:
    """Print what a preparation found."""
    print(", ".join(f"{count} {what}" for what, count in counts.items()), f"-> {out}")


if __name__ == "__main__":
    try:
        app()
    except VoiceswapError as error:
        Console(stderr=True).print(Text(str(error), "red"), soft_wrap=True)
        raise SystemExit(1) from None
