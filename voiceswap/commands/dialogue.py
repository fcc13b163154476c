"""`voiceswap dialogue`."""

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceswap.audio_io.recording_files import (
    recordings_in,
    require_recordings,
    require_references,
)
from voiceswap.commands.convert import OUT_HELP, RecordingPath, load_swapper
from voiceswap.commands.options import Device, Model, NoTags, Overwrite, Precision
from voiceswap.commands.outputs import console, converting, output_file, written
from voiceswap.files import require_writable

if TYPE_CHECKING:
    from voiceswap.conversion.turns import Turn

VOICE = "Recordings, a folder of them or a saved voice: the target of the one who speaks {}."

WAY_OUT = (
    "Where a part has the wrong voice: --turns turns.csv writes who speaks when; correct it, and "
    "run the same again."
)


def dialogue(
    source: RecordingPath,
    first: Annotated[
        list[Path] | None, typer.Option(help=VOICE.format("first"), show_default=False)
    ] = None,
    second: Annotated[
        list[Path] | None, typer.Option(help=VOICE.format("second"), show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help=OUT_HELP, show_default="SOURCE-converted.wav, or a video in its own format"
        ),
    ] = None,
    turns: Annotated[
        Path | None,
        typer.Option(
            help="A CSV with the columns start, end (seconds) and speaker (1, 2, ...). If it is "
            "there, it tells who speaks when; otherwise it is written, for you to correct.",
            show_default=False,
        ),
    ] = None,
    no_tags: NoTags = False,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap the voices of two people within one recording, or give either another voice.

    With --first or --second alone, the other person stays as recorded; with neither, both swap
    voices. Who speaks when is found out by a speaker verifier; they should not talk at once.
    """
    from voiceswap.audio_io.ffmpeg_writing import wav_or_video

    given = ((1, first), (2, second))
    voices = {speaker: recordings_in(paths) for speaker, paths in given if paths}
    references = [path for paths in voices.values() for path in paths]
    path = output_file(
        out,
        f"{source.stem}-converted.{wav_or_video(source)}",
        [source, *references],
        overwrite,
    )
    require_recordings(source)
    require_references(*references)
    from voiceswap.conversion.turns import read_turns, write_turns

    listed = read_turns(turns) if turns and turns.exists() else None
    if turns and listed is None:
        require_writable(turns)
    swapper = load_swapper(checkpoint, device, precision)
    from voiceswap.conversion.dialogue import convert_dialogue

    with converting() as progress:
        found = convert_dialogue(
            swapper, source, path, voices or None, listed, progress, tags=not no_tags
        )
    if turns and listed is None:
        write_turns(turns, found)
        written(turns, "who speaks when; correct it, and run again")
    written(path, _who_spoke(found))
    if turns is None:
        console.print(WAY_OUT)


def _who_spoke(turns: "list[Turn]") -> str:
    """How many turns each has, and for how long."""
    lengths = defaultdict[int, list[float]](list)
    for turn in turns:
        lengths[turn.speaker].append(turn.end - turn.start)
    return "; ".join(
        f"speaker {who}: {len(own)} turn{'s' * (len(own) > 1)}, {sum(own):.0f} s"
        for who, own in sorted(lengths.items())
    )
