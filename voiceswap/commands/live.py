"""`voiceswap live`: speak in another voice."""

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.table import Table
from rich.text import Text

from voiceswap.audio_io.recording_files import recordings_in, require_recordings, require_references
from voiceswap.commands.convert import load_swapper
from voiceswap.commands.options import (
    FREE_NAME,
    Device,
    LatencyName,
    Model,
    Overwrite,
    Pitch,
    PitchRange,
)
from voiceswap.commands.outputs import console, converting, output_file, plain, save, warn
from voiceswap.errors import VoiceswapError
from voiceswap.live.portaudio import sound_devices

FEW_LATE = 0.01  # share of blocks up to which another latency would not help


def live(
    target: Annotated[
        list[Path] | None,
        typer.Option(
            help="A recording of the target voice, a folder of them, or a saved voice; with "
            "several, the keys 1 to 9 choose one.",
            show_default=False,
        ),
    ] = None,
    latency: Annotated[
        LatencyName, typer.Option(help="The longer the delay, the clearer the words.")
    ] = "normal",
    enroll: Annotated[
        Path | None,
        typer.Option(
            help="A recording of you, from which your level and pitch are known from the start."
        ),
    ] = None,
    input_device: Annotated[
        str | None, typer.Option("--input", help="Microphone, by number or a part of its name.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option("--output", help="Loudspeaker, by number or a part of its name.")
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", help="Show the sound devices and end.")
    ] = False,
    simulate: Annotated[
        Path | None, typer.Option(help="Use this recording instead of the microphone.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"What --simulate writes; its ending sets the format. {FREE_NAME}",
            show_default="RECORDING-live.wav",
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="After --simulate, show delay, computing and dropouts.")
    ] = False,
    pitch: Pitch = 0.0,
    pitch_range: PitchRange = 1.0,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Speak in another voice, through a microphone. Wear headphones."""
    if list_devices:
        _show_devices()
        return
    if not target:
        raise VoiceswapError("Name a voice: --target anna.wav, or a saved one.")
    if simulate is None and (report or overwrite or out):
        raise VoiceswapError("--out, --report and --overwrite need --simulate, with a recording.")
    references = [recordings_in([path]) for path in target]
    sources = [path for path in (simulate, enroll) if path]
    written = Path()
    if simulate is not None:
        inputs = [*sources, *(path for several in references for path in several)]
        written = output_file(out, f"{simulate.stem}-live.wav", inputs, overwrite)
    require_recordings(*sources)
    for several in references:
        require_references(*several)
    if simulate is None:
        sound_devices()  # an error where there is none, before the model loads
    swapper = load_swapper(checkpoint, device)
    import torch

    from voiceswap.live.garbage import brief_collections
    from voiceswap.live.warm_up import warm_up

    with console.status("Reading the voices ..."):
        voices = [swapper.voice(several) for several in references]
        torch.set_num_threads(1)  # blocks are so small that others would cost more than they give
        warm_up(swapper, voices[0], latency)
        source = None if enroll is None else swapper.enroll(enroll)
        stream = swapper.stream(
            voices[0], source, latency, pitch_shift=pitch, pitch_range=pitch_range
        )
    if simulate is not None:
        with brief_collections():
            _simulate(stream, simulate, written, report, latency)
        return
    from voiceswap.commands.live_display import run
    from voiceswap.live.device import LiveSession

    devices = (_device(input_device), _device(output_device))
    with LiveSession(stream, *devices) as session, brief_collections():
        run(session, list(zip([path.stem for path in target], voices, strict=True)), console)


def _simulate(stream, recording: Path, out: Path, report: bool, latency: LatencyName) -> None:
    from voiceswap.audio import read_audio
    from voiceswap.live.simulation import simulate

    samples = read_audio(recording, stream.rate)
    with converting() as progress:
        made, kept_up = simulate(stream, samples, progress)
    save(out, made, stream.rate, "as it would be played, without the delay", recording)
    if report:
        table = Table(show_header=False)
        for row in kept_up.rows():
            table.add_row(*row)
        console.print(table)
    if kept_up.late:
        blocks = len(kept_up.compute)
        few = kept_up.late <= FEW_LATE * blocks
        why = "this computer was busy for a moment." if few else _advice(latency)
        warn(f"{kept_up.late} of {blocks} blocks came late: {why}")


def _advice(latency: LatencyName) -> str:
    """What to do where blocks come late at a latency."""
    names = get_args(LatencyName)
    if latency == names[-1]:
        return "this computer is too slow for live conversion, or busy with something else."
    higher = names[names.index(latency) + 1]
    return f"this computer is too slow for --latency {latency}; try --latency {higher}."


def _device(name: str | None) -> str | int | None:
    return int(name) if name is not None and name.isdecimal() else name


def _show_devices() -> None:
    table = Table("number", "name", "inputs", "outputs")
    for device in sound_devices():
        table.add_row(*(Text(plain(value)) for value in device))
    console.print(table)
