"""`voiceswap info`."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from voiceswap.commands.outputs import console


def info(
    checkpoint: Annotated[
        str, typer.Argument(help="A model file, or 'default' for the one in the package.")
    ] = "default",
) -> None:
    """Show what a model is: settings, sizes, training data, licences and measured figures."""
    from voiceswap.models.checkpoint import read_metadata

    metadata = read_metadata(checkpoint)
    table = Table(
        show_header=False, title=Text(f"voiceswap model: {checkpoint}"), title_justify="left"
    )
    analysed = metadata["audio"]["sample_rate"]
    synthesized = metadata.get("vocoder", {}).get("rate", analysed)
    table.add_row("rates", f"{analysed} Hz in, {synthesized} Hz out")
    for part in ("audio", "autoencoder", "vocoder", "streaming", "front_end_adapter"):
        if part in metadata:
            values = ", ".join(f"{name} {value}" for name, value in metadata[part].items())
            table.add_row(part, Text(values))
    for name, value in metadata["card"].items():
        if isinstance(value, dict):
            value = "\n".join(f"{key}: {entry}" for key, entry in value.items())
        table.add_row(Text(name), Text(str(value)))
    console.print(table)
