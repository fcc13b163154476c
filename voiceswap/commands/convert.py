"""Commands that convert recordings, and keep their voices and codes."""

from pathlib import Path
from typing import Annotated

import typer

from voiceswap.audio_io.recording_files import (
    name_of,
    recordings_in,
    require_recordings,
    require_references,
)
from voiceswap.commands.options import (
    FREE_NAME,
    Device,
    Model,
    NoTags,
    Overwrite,
    PitchOptions,
    PitchRange,
    Precision,
    Rate,
    Seed,
    SourceVoice,
    Strength,
    pitch_of,
)
from voiceswap.commands.outputs import (
    console,
    converting,
    free_names,
    output_file,
    require_folder,
    save,
    written,
)
from voiceswap.errors import VoiceswapError
from voiceswap.files import folded_name, require_writable
from voiceswap.models.checkpoint_header import read_metadata

RecordingPath = Annotated[
    Path, typer.Argument(help="A recording: wav, flac, mp3, m4a, ogg, mp4, ...", show_default=False)
]
OUT_HELP = f"File to write, whose ending sets the format; or a folder. {FREE_NAME}"


def load_swapper(checkpoint: str, device: str, precision: str = "auto"):
    """The model, with a line on the terminal while it loads."""
    read_metadata(checkpoint)  # what is no model is told before PyTorch loads
    from voiceswap.conversion.swapper import VoiceSwapper

    with console.status("Loading the model ..."):
        return VoiceSwapper.load(checkpoint, device, precision=precision)


def swap(
    a: RecordingPath,
    b: RecordingPath,
    out: Annotated[Path, typer.Option(help=f"Folder for the two results. {FREE_NAME}")] = Path(
        "swapped"
    ),
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Swap two voices: A's words in B's voice, and B's words in A's."""
    require_folder(out)
    require_recordings(a, b)
    name_a, name_b = a.stem, b.stem
    if folded_name(name_a) == folded_name(name_b):
        name_a, name_b = f"{name_a}-1", f"{name_b}-2"
    pairs = (name_a, name_b), (name_b, name_a)
    names = [out / f"{x}-in-the-voice-of-{y}.wav" for x, y in pairs]
    outs = free_names(*names, overwrite=overwrite)
    for path in outs:
        require_writable(path)
    swapper = load_swapper(checkpoint, device, precision)
    with console.status("Converting ..."):
        a_words, b_words = swapper.swap(a, b)
    save(outs[0], a_words, swapper.sample_rate, "A's words, B's voice", a)
    save(outs[1], b_words, swapper.sample_rate, "B's words, A's voice", b)


def convert(
    source: RecordingPath,
    target: Annotated[
        list[Path],
        typer.Option(
            help="A recording of the target voice, a folder of them, or a voice saved by voice or "
            "adapt. Several recordings are taken for one person's, and bring the result nearer to "
            "the voice; saved voices are averaged.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help=OUT_HELP,
            show_default="SOURCE-in-the-voice-of-TARGET.wav, or a video in its own format",
        ),
    ] = None,
    pitch: PitchOptions = "0",  # type: ignore[assignment]  # typer parses it
    pitch_range: PitchRange = 1.0,
    source_voice: SourceVoice = None,
    strength: Strength = 1.0,
    seed: Seed = None,
    rate: Rate = None,
    no_tags: NoTags = False,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Convert SOURCE to another voice."""
    from voiceswap.audio_io.ffmpeg_writing import wav_or_video

    name = f"{source.stem}-in-the-voice-of-{name_of(target[0])}.{wav_or_video(source)}"
    references = recordings_in(target)
    path = output_file(out, name, [source, *references], overwrite)
    require_recordings(source)
    require_references(*references)
    options = {**pitch, "pitch_range": pitch_range, "strength": strength, "seed": seed}
    options |= {"source_pitch": pitch_of(source_voice), "rate": rate, "tags": not no_tags}
    swapper = load_swapper(checkpoint, device, precision)
    with converting() as progress:
        swapper.convert_file(source, references, path, progress, **options)
    written(path, f"{source.name} in the voice of {', '.join(path.name for path in target)}")


def voice(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recordings of one voice, or a folder of them; several bring it nearer.",
            show_default=False,
        ),
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="Without recordings: a voice that nobody has.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of --random: each number gives another voice, always the same one.",
            show_default="another one each time",
        ),
    ] = None,
    hertz: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="Of --random: the range of its mean pitch, for men about 85 to 155, for women "
            "165 to 255.",
            show_default="any",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"The .safetensors file to write, or a folder. {FREE_NAME}",
            show_default="RECORDING.safetensors, or random.safetensors",
        ),
    ] = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Save a voice to a small file, to give as --target later."""
    _require_one_origin(recordings, random, seed is not None or hertz is not None)
    name = f"{name_of(recordings[0]) if recordings else 'random'}.safetensors"
    recordings = recordings_in(recordings or [])
    path = output_file(out, name, recordings, overwrite, "A voice's file")
    require_references(*recordings)
    if random and path.exists() and not overwrite:  # without its seed, nothing brings it back
        raise VoiceswapError(f"{path} exists; give another --out, or --overwrite to replace it.")
    swapper = load_swapper(checkpoint, device)
    if random:
        from voiceswap.conversion.random_voice import ANY_PITCH, any_seed

        number = any_seed() if seed is None else seed
        made = swapper.sample(number, hertz or ANY_PITCH)
        what = f"a voice that nobody has, {made.log_f0[0].exp():.0f} Hz, seed {number}"
    else:
        made = swapper.voice(list(recordings))
        what = f"the voice of {', '.join(path.name for path in recordings)}"
    written(swapper.save_voice(made, path), what)


def _require_one_origin(recordings: list[Path] | None, random: bool, drawing: bool) -> None:
    if random and recordings:
        raise VoiceswapError(
            "A random voice takes no recordings; leave them out, or leave out --random for the "
            "recordings' voice."
        )
    if drawing and not random:
        raise VoiceswapError("--seed and --hertz are for a random voice; give --random too.")
    if not random and not recordings:
        raise VoiceswapError(
            "Give recordings of one voice, or a folder of them; or --random for a voice that "
            "nobody has."
        )


def reconstruct(
    source: RecordingPath,
    out: Annotated[
        Path | None, typer.Option(help=OUT_HELP, show_default="SOURCE-reconstructed.wav")
    ] = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Encode and decode a recording in its own voice, to show what the model can keep."""
    path = output_file(out, f"{source.stem}-reconstructed.wav", [source], overwrite)
    require_recordings(source)
    swapper = load_swapper(checkpoint, device)
    save(path, swapper.reconstruct(source), swapper.sample_rate, f"{source.name}, rebuilt", source)


def embed(
    source: RecordingPath,
    out: Annotated[
        Path | None,
        typer.Option(
            help=f"The .npz file to write, or a folder. {FREE_NAME}", show_default="SOURCE.npz"
        ),
    ] = None,
    overwrite: Overwrite = False,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Write the content and speaker codes of a recording, for other programs.

    Arrays: content (frames, channels), content_rate (frames a second), speaker (channels,), log_f0
    (mean and deviation of ln Hz).
    """
    import numpy as np

    from voiceswap.files import whole_file

    path = output_file(out, f"{source.stem}.npz", [source], overwrite, "The codes' file")
    require_recordings(source)
    swapper = load_swapper(checkpoint, device)
    content, voice = swapper.content_and_voice(source)
    rate = swapper.content_rate
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            content=content,
            content_rate=rate,
            speaker=voice.code.cpu().numpy(),
            log_f0=voice.log_f0.cpu().numpy(),
        )
    written(
        path,
        f"content {content.shape} at {rate:g} frames a second, speaker {tuple(voice.code.shape)}",
    )
