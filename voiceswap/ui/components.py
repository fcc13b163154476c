"""Pieces of the page that several tabs have."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from voiceswap.ui.app_context import AppContext
from voiceswap.ui.texts import Texts

MAX_SEED = 2**53 - 1  # the largest number that browsers have exactly
# The options of an event that only changes what is shown.
DISPLAY_ONLY: dict = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def html(value: str | None = None, js_on_load: str | None = None, **options) -> gr.HTML:
    """HTML of our own, without Gradio's style and its example of a script."""
    return gr.HTML(value, js_on_load=js_on_load, apply_default_css=False, **options)


def heading(title: str, intro: str = "", level: int = 2) -> gr.HTML:
    """A tab's or section's title, and a sentence on it."""
    below = f"<p>{escape(intro)}</p>" if intro else ""
    return html(f"<h{level}>{escape(title)}</h{level}>{below}", elem_classes="vs-heading")


def card(colour: str = "", **options) -> gr.Column:
    """A framed column, which may have the colour of speaker "a" or "b", or of the "forbidden"."""
    return gr.Column(elem_classes=["vs-card", *([f"vs-{colour}"] if colour else [])], **options)


# Grey on light as on dark; what was played is in the page's teal.
WAVE = gr.WaveformOptions(waveform_color="#9ca3a0", waveform_progress_color="#14a094")


def recorder(label: str, **options) -> gr.Audio:
    """A recording from a file or the microphone."""
    return gr.Audio(
        label=label,
        sources=["upload", "microphone"],
        type="filepath",
        buttons=[],
        waveform_options=WAVE,
        **options,
    )


def example(text: Texts, label: str, path: Path, recording: gr.Audio) -> None:
    """A button below a recorder that puts an example there."""
    gr.Examples(
        [[str(path)]],
        [recording],
        example_labels=[label],
        label=text["or_example"],
        preload=False,
        api_visibility="private",
    )


def player(label: str, **options) -> gr.Audio:
    """A result to play and download."""
    return gr.Audio(
        label=label,
        interactive=False,
        type="filepath",
        buttons=["download"],
        waveform_options=WAVE,
        **options,
    )


def format_choice(text: Texts, name: str, videos: bool = False) -> gr.Radio:
    """The format of the file that a conversion gives; "" is wav, and a video's own for `videos`."""
    of_videos = [(text["wav_or_video"], "")] if videos else []
    return gr.Radio(
        [*of_videos, "wav", "flac", "mp3"],
        value="" if videos else "wav",
        label=text["file_format"],
        elem_id=f"{name}-format",
    )


def download(label: str, elem_id: str) -> gr.DownloadButton:
    """A file to download."""
    return gr.DownloadButton(label, size="md", elem_id=elem_id, elem_classes="vs-with-result")


def voice_menu(label: str, names: list[str], **options) -> gr.Dropdown:
    """A choice among the library's voices.

    Other names are accepted for the library to check, since it changes while the page is open.
    """
    return gr.Dropdown(names, label=label, allow_custom_value=True, **options)


def recordings_field(label: str, height: int = 160, **options) -> gr.File:
    """Several recordings."""
    return gr.File(label=label, file_count="multiple", type="filepath", height=height, **options)


def saved_voices(context: AppContext, info: str, name: str) -> gr.Dropdown:
    """Voices of the library, several of them."""
    return voice_menu(
        context.text["saved_voices"],
        context.library.names(),
        multiselect=True,
        info=info,
        elem_id=f"{name}-voices",
    )


def conversion_options(
    pitch: float, pitch_range: float, strength: float, seed: float | None, exact: bool
) -> dict[str, Any]:
    """What the values of `settings` and of `exact_pitch` are in `ConversionOptions`."""
    return {
        "pitch_shift": pitch,
        "pitch_range": pitch_range,
        "exact_pitch": bool(exact),
        "strength": strength / 100,
        "seed": None if seed is None else int(seed),
    }


def exact_pitch(text: Texts, name: str) -> gr.Checkbox:
    """Whether the source's intervals are kept, as songs need."""
    return gr.Checkbox(
        label=text["exact_pitch"], info=text["exact_pitch_info"], elem_id=f"{name}-exact"
    )


def settings(text: Texts, name: str) -> list[gr.Slider | gr.Number]:
    """Pitch, its range, strength in percent, and a seed, which is None until it is asked for."""
    ranges = {
        "pitch": (-12, 12, 0, 0.5),
        "pitch_range": (0, 3, 1, 0.05),
        "strength": (0, 100, 100, 1),
    }
    with gr.Row():
        sliders = [
            gr.Slider(
                *(low, high, usual),
                step=step,
                label=text[field],
                info=text[f"{field}_info"],
                min_width=320,
            )
            for field, (low, high, usual, step) in ranges.items()
        ]
    another = gr.Checkbox(label=text["another"], info=text["seed_info"], elem_id=f"{name}-another")
    # Hidden until then: a number field that is shown empty sends 0.
    seed = gr.Number(
        None,
        precision=0,
        minimum=0,
        maximum=MAX_SEED,
        label=text["seed"],
        visible=False,
        elem_id=f"{name}-seed",
    )
    another.change(
        lambda wanted: gr.Number(1 if wanted else None, visible=wanted),
        another,
        seed,
        **DISPLAY_ONLY,
    )
    return [*sliders, seed]
