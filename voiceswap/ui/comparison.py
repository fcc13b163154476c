"""Before and after: mel plots, and the similarity of two recordings' speakers."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr
import numpy as np
import torch

from voiceswap.audio import AudioStream, prepare_audio
from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.errors import AudioError
from voiceswap.plots import draw_change
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import html
from voiceswap.ui.result_files import new_file

SEEN_SECONDS = 30.0  # of a long recording are drawn and compared: the first that are not silent

# The similarity from which on two recordings are called much alike, alike, somewhat alike.
SIMILARITY_WORDS = (("much_like", 0.85), ("like", 0.7), ("somewhat_like", 0.55), ("unlike", -1.0))

# The numbers are put in by the browser, in figures: nothing that a visitor wrote is part of this.
_ROW = """
${value ? `<div class="vs-meter-row vs-%(colour)s">
  <span class="vs-meter-name">${value.%(key)s
    ? %(similarity_words)s.find(([least]) => value.%(key)s.after >= least)[1]
      .replace("NUMBER", value.%(key)s.after.toFixed(2))
    : "%(name)s"}</span>
  ${value.%(key)s ? ["before", "after"].map(when => `
    <span class="vs-meter-when">${when === "before" ? "%(before)s" : "%(after)s"}</span>
    <span class="vs-meter-bar vs-${when}" role="meter" aria-valuemin="0" aria-valuemax="1"
      aria-valuenow="${value.%(key)s[when].toFixed(2)}"
      aria-label="%(name)s, ${when === "before" ? "%(before)s" : "%(after)s"}">
      <span style="width:${Math.max(0, Math.min(1, value.%(key)s[when])) * 100}%%"></span></span>
    <span class="vs-meter-number">${value.%(key)s[when].toFixed(2)}</span>`).join("")
  : `<span class="vs-meter-unknown">%(unknown)s</span>`}
</div>` : ""}"""


def meter(context: AppContext, source: str, target: str, colours: str = "ab") -> gr.HTML:
    """Words, bars and numbers for {"source": {"before": 1.0, "after": 0.4}, "target": the same}.

    A part that is not known is None; without a value, nothing is shown.
    """
    text = context.text
    rows = "".join(
        _ROW
        % {
            "key": key,
            "name": text["similarity_to"].format(name=text[name]),
            "similarity_words": json.dumps(
                [
                    [least, text[words].format(name=text[name], number="NUMBER")]
                    for words, least in SIMILARITY_WORDS
                ],
                ensure_ascii=False,
            ),
            "colour": colour,
            "before": text["before"],
            "after": text["after"],
            "unknown": text["similarity_unknown"],
        }
        for key, name, colour in zip(("source", "target"), (source, target), colours, strict=True)
    )
    note = text["similarity_note"]
    shown = f'${{value ? `<p class="vs-note">{note}</p>` : ""}}'
    template = f'<div class="vs-meter">{rows}{shown}</div>'
    return html(label=text["similarity"], html_template=template)


def picture(context: AppContext) -> gr.Image:
    """The component for what `compare` draws, laid out in a fold."""
    text = context.text
    with gr.Accordion(text["spectrogram"], open=False, elem_classes="vs-with-result"):
        return gr.Image(
            label=text["picture"],
            alt_text=text["picture_alt"],
            interactive=False,
            buttons=["download", "fullscreen"],
            elem_classes="vs-picture",
        )


def compare(
    context: AppContext, before: str | Path, after: str | Path, targets: Sequence[str | Path]
) -> tuple[str, dict] | tuple[None, None]:
    """The picture of a conversion and the value of its meter, from files.

    Without recordings of the target, that half is None; where all is too quiet, both are.
    """
    swapper = context.swapper
    pairs = zip(segments(before, swapper), segments(after, swapper), strict=False)
    views = next((pair for pair in pairs if all(map(len, pair))), None)
    if views is None:
        return None, None
    path = draw_change(*views, swapper.sample_rate, new_file("mels.png"))
    targets_seen = [
        speaker(swapper, next(filter(len, segments(target, swapper)))) for target in targets
    ]
    seen = [speaker(swapper, view) for view in views]
    figures = {
        key: None
        if other is None
        else {
            when: cosine(view, other) for when, view in zip(("before", "after"), seen, strict=True)
        }
        for key, other in (
            ("source", seen[0]),
            ("target", torch.stack(targets_seen).mean(0) if targets_seen else None),
        )
    }
    return str(path), figures


def segments(path: str | Path, swapper: VoiceSwapper) -> Iterator[np.ndarray]:
    """A recording in segments of SEEN_SECONDS at the model's rate; a silent one is empty.

    What is too short for a recording at the end belongs to the segment before.
    """
    rate = swapper.sample_rate
    step, waiting = int(SEEN_SECONDS * rate), np.zeros(0, np.float32)
    for block in AudioStream(path, rate):
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= step + MIN_RECORDING_SECONDS * rate:
            yield _audible(waiting[:step], rate)
            waiting = waiting[step:]
    if len(waiting):
        yield _audible(waiting, rate)


def _audible(samples: np.ndarray, rate: int) -> np.ndarray:
    loudest = max(1.0, np.abs(samples).max())  # a file's floats may be of any size
    try:
        return prepare_audio(samples / loudest, rate, rate)
    except AudioError:
        return np.zeros(0, np.float32)


def speaker(swapper: VoiceSwapper, samples: np.ndarray) -> torch.Tensor:
    """The pretrained verifier's vector of a recording."""
    analysed = resample(samples, swapper.sample_rate, swapper.engine.audio.sample_rate)
    return swapper.engine.speaker_vector(analysed).cpu()


def cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    """Cosine of two vectors."""
    return float(torch.nn.functional.cosine_similarity(first, second, dim=0))
