"""Commands that convert recordings, and keep their voices and codes."""

from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import typer
from rich.progress import Progress

from voiceswap.audio_io.recording_files import recordings_in, require_files
from voiceswap.commands.options import (
    Device,
    Model,
    Overwrite,
    PitchOptions,
    PitchRange,
    Precision,
    Seed,
    Strength,
)
from voiceswap.commands.outputs import (
    console,
    output_file,
    require_writable,
    save,
    written,
)
from voiceswap.errors import VoiceswapError

RecordingPath = Annotated[
    Path,
    typer.Argument(help="A recording: wav, flac, mp3, m4a, ogg, mp4, ...", show_default=False),
]
OutFile = Annotated[
    Path, typer.Option(help="File to write, whose ending sets the format; or a folder.")
]


def load_swapper(checkpoint: str, device: str, precision: str = "auto"):
    """The model, with a line on the terminal while it loads."""
    from voiceswap.conversion.swapper import VoiceSwapper

    with console.status("Loading the model ..."):
        return VoiceSwapper.load(checkpoint, device, precision=precision)


def swap(
    a: RecordingPath,
    b: RecordingPath,
    out: Annotated[Path, typer.Option(help="Folder for the two results.")] = Path("swapped"),
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two voices: A's words in B's voice, and B's words in A's."""
    require_files(a, b)
    name_a, name_b = a.stem, b.stem
    if normalize("NFC", name_a).casefold() == normalize("NFC", name_b).casefold():
        name_a, name_b = f"{name_a}-1", f"{name_b}-2"  # some file systems take them for one name
    outs = [out / f"{x}-in-the-voice-of-{y}.wav" for x, y in ((name_a, name_b), (name_b, name_a))]
    require_writable(outs[0])
    swapper = load_swapper(checkpoint, device, precision)
    with console.status("Converting ..."):
        a_words, b_words = swapper.swap(a, b)
    save(outs[0], a_words, swapper.sample_rate, "A's words, B's voice")
    save(outs[1], b_words, swapper.sample_rate, "B's words, A's voice")


def convert(
    source: RecordingPath,
    target: Annotated[
        list[Path],
        typer.Option(
            help="A recording of the target voice, or a voice kept by 'voiceswap voice'; several "
            "are averaged, and of one person bring the voice nearer.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, whose ending sets the format; or a folder.",
            show_default="SOURCE-in-the-voice-of-TARGET.wav",
        ),
    ] = None,
    pitch: PitchOptions = "0",  # type: ignore[assignment]  # typer parses it
    pitch_range: PitchRange = 1.0,
    strength: Strength = 1.0,
    seed: Seed = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Convert SOURCE to another voice."""
    from voiceswap.audio_io.writing import require_format

    require_files(source, *target)
    name = f"{source.stem}-in-the-voice-of-{target[0].stem}.wav"
    path = output_file(out or Path(name), name, [source, *target], overwrite)
    require_format(path)
    swapper = load_swapper(checkpoint, device, precision)
    options = {**pitch, "pitch_range": pitch_range, "strength": strength, "seed": seed}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Converting", total=1.0)
        swapper.convert_file(
            source, list(target), path, lambda done: bar.update(task, completed=done), **options
        )
    written(path, f"{source.name} in the voice of {', '.join(path.name for path in target)}")


def voice(
    recordings: Annotated[
        list[Path],
        typer.Argument(
            help="Recordings of one voice, or a folder of them; several bring it nearer.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The .safetensors file to write, or a folder.",
            show_default="RECORDING.safetensors",
        ),
    ] = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Keep a voice in a small file, to give as --target later."""
    recordings = recordings_in(recordings)
    require_files(*recordings)
    name = f"{recordings[0].stem}.safetensors"
    path = output_file(out or Path(name), name, recordings, overwrite)
    swapper = load_swapper(checkpoint, device)
    written(
        swapper.save_voice(swapper.voice(list(recordings)), path),
        f"the voice of {', '.join(path.name for path in recordings)}",
    )


def reconstruct(
    source: RecordingPath,
    out: OutFile = Path("reconstructed.wav"),
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Take a recording through both codes and back in its own voice: what the model can keep."""
    require_files(source)
    out = output_file(out, f"{source.stem}-reconstructed.wav", [source], overwrite)
    swapper = load_swapper(checkpoint, device)
    save(out, swapper.reconstruct(source), swapper.sample_rate, f"{source.name}, rebuilt")


def embed(
    source: RecordingPath,
    out: Annotated[Path, typer.Option(help="The .npz file to write, or a folder.")] = Path(
        "codes.npz"
    ),
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Write content and speaker codes of a recording, for other tasks to use.

    Arrays: content (frames, channels), content_rate (frames a second), speaker (channels,), log_f0
    (mean and deviation of ln Hz).
    """
    require_files(source)
    import numpy as np

    from voiceswap.files import whole_file

    out = output_file(out, f"{source.stem}.npz")
    if out.suffix.lower() != ".npz":
        raise VoiceswapError(f"The codes' file has to end in .npz, and {out} does not.")
    swapper = load_swapper(checkpoint, device)
    content, voice = swapper.content_and_voice(source)
    rate = swapper.content_rate
    with whole_file(out) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            content=content,
            content_rate=rate,
            speaker=voice.code.cpu().numpy(),
            log_f0=voice.log_f0.cpu().numpy(),
        )
    written(
        out,
        f"content {content.shape} at {rate:g} frames a second, speaker {tuple(voice.code.shape)}",
    )
