"""A player that switches between a conversion, its source and its target."""

from pathlib import Path

import gradio as gr
import numpy as np

from voiceswap.audio import AudioStream
from voiceswap.dsp.filters import k_weighted
from voiceswap.dsp.level import active_level_db
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import html

LEVEL_SECONDS = 30  # of a recording give its level
MIN_GAIN = 0.1

# Addresses and figures come in as data, and are escaped; what a visitor wrote is no part of this.
_TEMPLATE = """
${value ? `<div class="vs-player" role="group" aria-label="%(compare)s" data-chosen="1">
  ${value.sounds.map(sound => `<audio preload="metadata" data-gain="${Number(sound.gain)}"
    src="gradio_api/file=${encodeURI(sound.file).replace(/[?#"]/g, encodeURIComponent)}"></audio>`
  ).join("")}
  <div class="vs-sounds">${value.sounds.map((sound, number) => `<button type="button"
    class="vs-sound" aria-pressed="${number === 1}">${
      ({converted: "%(converted)s", original: "%(original)s", target: "%(target)s"})[sound.name]
    }</button>`).join("")}</div>
  <div class="vs-transport">
    <button type="button" class="vs-play" aria-label="%(play)s" data-play="%(play)s"
      data-pause="%(pause)s"><svg viewBox="0 0 24 24" aria-hidden="true"><path class="vs-start"
      d="M8 5v14l11-7z"/><path class="vs-halt" d="M7 5h4v14H7zm6 0h4v14h-4z"/></svg></button>
    <input type="range" class="vs-seek" min="0" max="1" step="0.01" value="0"
      aria-label="%(position)s">
    <span class="vs-time">0:00 / 0:00</span>
    <label class="vs-loud"><svg viewBox="0 0 24 24"
      aria-hidden="true"><path d="M4 9v6h4l5 5V4L8 9zm12-1v8a4 4 0 0 0 0-8z"/></svg>
      <input type="range" class="vs-volume" min="0" max="1" step="0.01" value="1"
        aria-label="%(volume)s"></label>
  </div>
</div>` : ""}"""
_SCRIPT = (Path(__file__).parent / "player.js").read_text(encoding="utf-8")
_TEXTS = ("compare", "converted", "original", "target", "play", "pause", "position", "volume")


def compare_player(context: AppContext, elem_id: str) -> gr.HTML:
    """The component; its value is that of `sounds_to_compare`."""
    return html(
        js_on_load=_SCRIPT,
        label=context.text["player_compare"],
        html_template=_TEMPLATE % {name: context.text[f"player_{name}"] for name in _TEXTS},
        elem_id=elem_id,
        elem_classes="vs-progress",
    )


def sounds_to_compare(
    context: AppContext, converted: str | Path, original: str | Path, target: str | Path | None
) -> dict:
    """The player's value: each sound with the gain that makes all as loud as the softest."""
    files = {"original": original, "converted": converted}
    if target is not None:
        files["target"] = target
    levels = {name: level_db(context, file) for name, file in files.items()}
    softest = min(levels.values())
    return {
        "sounds": [
            {
                "name": name,
                "file": str(file),
                "gain": round(max(MIN_GAIN, 10 ** ((softest - levels[name]) / 20)), 4),
            }
            for name, file in files.items()
        ]
    }


def level_db(context: AppContext, path: str | Path) -> float:
    """K-weighted active level of a recording's first seconds, in dB relative to full scale."""
    rate = context.swapper.sample_rate
    blocks, read = [], 0
    for block in AudioStream(path, rate):
        blocks.append(block)
        read += len(block)
        if read >= LEVEL_SECONDS * rate:
            break
    return active_level_db(np.concatenate(list(k_weighted(iter(blocks), rate))), rate)
