"""`voiceswap info`: what a model or a saved voice is, and what is installed."""

import re
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from voiceswap.audio_io.endings import SOUND_ENDINGS
from voiceswap.commands.outputs import console, plain
from voiceswap.errors import VoiceswapError
from voiceswap.models.checkpoint_header import checkpoint_path, read_metadata

PARTS = (
    "autoencoder",
    "vocoder",
    "streaming",
    "front_end_adapter",
    "denoiser",
    "speaker_distribution",
)
FIGURES = ("DV", "CER", "MOS")  # of a card's, those that the short table has
EXTRAS = ("ui", "live", "ray", "train", "eval")
MB = 1e6  # bytes


def info(
    file: Annotated[
        str,
        typer.Argument(
            help="A model file, a saved voice, or 'default' for the model in the package."
        ),
    ] = "default",
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also settings, training data, licences and all measured figures."
        ),
    ] = False,
) -> None:
    """Show what a model is and what is installed, or what a saved voice is."""
    if file != "default" and not Path(file).exists():  # told before PyTorch loads
        raise VoiceswapError(f"There is no model or saved voice {file}.")
    if Path(file).suffix[1:].lower() in SOUND_ENDINGS:
        raise VoiceswapError(
            f"{file} is a recording, and info takes a model or a saved voice; 'voiceswap voice' "
            "makes a voice of a recording."
        )
    from voiceswap.conversion.voice_file import describe_voice

    voice = None if file == "default" else describe_voice(file)
    if voice is not None:
        _print(f"voiceswap voice: {file}", _voice_rows(Path(file), voice))
        return
    found = read_metadata(file)
    rows = _model_rows(file, found)
    if everything:
        rows += _all_rows(found)
    _print(f"voiceswap model: {file}", rows)
    if not everything:
        command = "voiceswap info --all" if file == "default" else f"voiceswap info {file} --all"
        console.print(Text(plain(f"{command} shows settings, training data and licences.")))


def _print(title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(show_header=False, title=Text(plain(title)), title_justify="left")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    console.print(table)


def _model_rows(file: str, found: dict) -> list[tuple[str, str]]:
    from voiceswap.models.checkpoint import load_checkpoint

    model = load_checkpoint(file)  # or the file is damaged
    path, card, rate = checkpoint_path(file), model.card, model.audio.sample_rate
    sizes, figures = found.get("autoencoder", {}), card.get("figures", {})
    figures = figures if isinstance(figures, dict) else {}
    shown = [f"{name} {str(figures[name]).split(' (')[0]}" for name in FIGURES if name in figures]
    rows = [
        ("name", str(card.get("name", "not stated"))),
        ("licence", str(card.get("licence", "not stated"))),
        ("file", f"{plain(path)}, {path.stat().st_size / MB:.0f} MB"),
        ("fingerprint", f"{model.fingerprint()}, which its saved voices have"),
        ("parts", ", ".join(name.replace("_", " ") for name in PARTS if name in found)),
        ("sizes", f"content code {sizes.get('content_code')}, speaker {sizes.get('speaker_code')}"),
        ("rates", f"{rate} Hz in, {found.get('vocoder', {}).get('rate', rate)} Hz out"),
    ]
    if shown:
        rows.append(("measured", "; ".join(shown)))
    return [*rows, ("device", _device()), ("extras", _extras())]


def _device() -> str:
    """The device that --device auto takes here."""
    import torch

    from voiceswap.transfer import find_device

    device = find_device("auto")
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device
    return f"{name}, PyTorch {torch.__version__}"


def _extras() -> str:
    """Which extras of the package are installed, and how to install the others."""
    installed = [extra for extra in EXTRAS if _is_installed(extra)]
    missing = [extra for extra in EXTRAS if extra not in installed]
    there = ", ".join(installed) or "none"
    if not missing:
        return there
    return f'{there}; without {", ".join(missing)}: pip install "voiceswap[{missing[0]}]"'


def _is_installed(extra: str) -> bool:
    try:
        wanted = metadata.requires("voiceswap") or []
    except metadata.PackageNotFoundError:  # a clone that is not installed
        return False
    needed = [line for line in wanted if f"extra == '{extra}'" in line.replace('"', "'")]
    for line in needed:
        name = re.match(r"[\w.-]+", line)
        try:
            metadata.version(name[0] if name else line)
        except metadata.PackageNotFoundError:
            if "python_version" not in line:  # it may be for other versions only
                return False
    return bool(needed)


def _all_rows(found: dict) -> list[tuple[str, str]]:
    """Settings and card."""
    rows = [
        (part, ", ".join(f"{name} {value}" for name, value in found[part].items()))
        for part in ("audio", *PARTS)
        if part in found
    ]
    for name, value in dict(found["card"]).items():
        if isinstance(value, dict):
            value = "\n".join(f"{key}: {entry}" for key, entry in value.items())
        rows.append((name, str(value)))
    return rows


def _voice_rows(path: Path, voice: dict) -> list[tuple[str, str]]:
    from voiceswap.conversion.voice_file import VoiceSizes, load_voice
    from voiceswap.models.checkpoint import load_checkpoint

    model = load_checkpoint()
    autoencoder, own = model.autoencoder, "not the one in the package"
    if voice["model"] == model.fingerprint():
        own = "the one in the package"
        # Refuses what --target refuses.
        load_voice(path, voice["model"], VoiceSizes.of(autoencoder), autoencoder.decoder)
    rows = [
        ("name", plain(path.stem)),
        ("model", f"{plain(voice['model'])}, {own}"),
        ("pitch", f"{voice['hertz']:.0f} Hz"),
    ]
    consent = "its owner agreed, by the word of who made it" if voice["consent"] else "not stated"
    if voice["drawn"] is not None:
        rows.append(("origin", f"random, a voice that nobody has; seed {voice['drawn']}"))
    else:
        rows += [
            ("recordings", f"{voice['seconds']:.1f} s"),
            ("adapted", _adapted(voice)),
            ("consent", consent),
        ]
    return [*rows, ("file", f"{path.stat().st_size / MB:.1f} MB")]


def _adapted(voice: dict) -> str:
    report = voice["report"]
    try:
        before, after = (report[part]["similarity"] for part in ("before", "after"))
        learned = f"from {report['seconds']:.1f} s of speech"
        scores = f"similarity {before:.3f} before, {after:.3f} after"
        if voice["adapted"]:
            return f"yes, {learned}; {scores}"
        return f"no: adapting {learned} did not help"
    except (KeyError, TypeError, ValueError):  # none, or of another version
        return "yes" if voice["adapted"] else "no"
