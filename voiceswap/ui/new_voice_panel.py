"""The ways to a new voice of the library: recordings, training, mixes, draws, files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import gradio as gr
from gradio.events import Dependency

from voiceswap.conversion.random_voice import any_seed
from voiceswap.conversion.voice import Voice
from voiceswap.errors import VoiceswapError
from voiceswap.ui import adapt_panel
from voiceswap.ui.answers import answering
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import (
    DISPLAY_ONLY,
    MAX_SEED,
    player,
    recorder,
    recordings_field,
    voice_menu,
)
from voiceswap.ui.inputs import require, require_references
from voiceswap.ui.jobs import giving_way
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import example_file

BLENDED = 4  # voices at once


def build(context: AppContext, chosen: gr.Dropdown, changes: list[Dependency]) -> list[gr.Dropdown]:
    """Lay out the ways to make a voice, each with buttons to play and save. Returns their menus."""
    text = context.text
    preview = player(text["preview"], elem_id="voices-preview", render=False)
    panel = _Panel(context, chosen, changes, preview)
    with gr.Tabs():
        with gr.Tab(text["from_recordings"]):
            _recordings(panel)
        with gr.Tab(text["adapt"]):
            changes.append(adapt_panel.build(context, chosen))
        with gr.Tab(text["blend"]):
            menus = _blend(panel)
        with gr.Tab(text["walk"]):
            menus += _walk(panel)
        with gr.Tab(text["draw"]):
            _draw(panel)
        with gr.Tab(text["import"]):
            _import(panel)
    preview.render()
    return menus


@dataclass(frozen=True)
class _Panel:
    """What all ways to a voice share.

    chosen: the menu that takes a new voice's name. changes: the events that change the library.
    preview: plays an example.
    """

    context: AppContext
    chosen: gr.Dropdown
    changes: list[Dependency]
    preview: gr.Audio

    def end(self, kind: str, inputs: list, make: Callable[..., Voice]) -> gr.Textbox:
        """Lay out the last row of a way: `make(*inputs)` is the voice. Returns the name's box."""
        context, text = self.context, self.context.text

        def play_example(*values):
            with answering(context):
                return example_file(context, make(*values), kind)

        def keep(name, *values):
            with answering(context):
                kept = context.library.add(name or "", make(*values))
            gr.Info(text["kept"])
            return kept

        with gr.Row(equal_height=False, elem_classes="vs-end"):
            sizes: dict = {"size": "md", "scale": 1}
            play = gr.Button(text["listen"], min_width=110, elem_id=f"{kind}-listen", **sizes)
            name = gr.Textbox(
                label=text["name"], max_length=100, min_width=160, scale=3, elem_id=f"{kind}-name"
            )
            add = gr.Button(
                text["keep"], variant="primary", min_width=160, elem_id=f"{kind}-keep", **sizes
            )
        play.click(
            giving_way(play_example),
            inputs,
            self.preview,
            **context.api(f"listen_{kind}"),
            **MODEL_SLOTS,
        )
        kept = add.click(
            giving_way(keep),
            [name, *inputs],
            self.chosen,
            **context.api(f"keep_{kind}"),
            show_progress_on=name,
            **MODEL_SLOTS,
        )
        kept.success(lambda: "", None, name, **DISPLAY_ONLY)
        self.changes.append(kept)
        return name

    def menu(self, label: str, elem_id: str, min_width: int = 160) -> gr.Dropdown:
        """A menu of the library's voices, none of which is chosen."""
        names = self.context.library.names()
        return voice_menu(label, names, value=None, elem_id=elem_id, min_width=min_width)


def _recordings(panel: _Panel) -> None:
    context, text = panel.context, panel.context.text
    with gr.Row():
        recording = recorder(text["recording"], elem_id="recordings-audio", min_width=260)
        more = recordings_field(text["more_recordings"], 200, min_width=260)

    def make(one: str | None, many: list[str] | None) -> Voice:
        given = require_references(context, [one, *(many or [])], missing="no_recording")
        return context.swapper.voice(given)

    panel.end("recordings", [recording, more], make)


def _blend(panel: _Panel) -> list[gr.Dropdown]:
    context, text = panel.context, panel.context.text
    menus, shares = [], []
    with gr.Row():
        for number in range(1, BLENDED + 1):
            with gr.Column(min_width=180):
                menus.append(panel.menu(f"{text['voice']} {number}", f"blend-voice-{number}"))
                share_id = f"blend-share-{number}"
                shares.append(gr.Slider(0, 100, 50, step=1, label=text["share"], elem_id=share_id))
    panel.end(
        "blend",
        [*menus, *shares],
        lambda *values: blend(context, values[:BLENDED], values[BLENDED:]),
    )
    return menus


def _walk(panel: _Panel) -> list[gr.Dropdown]:
    context, text = panel.context, panel.context.text
    with gr.Row():
        menus = [panel.menu(text[f"walk_{end}"], f"walk-{end}", 200) for end in ("from", "to")]
    way = gr.Slider(
        0, 100, 50, step=1, label=text["way"], info=text["way_info"], elem_id="walk-way"
    )
    panel.end("walk", [*menus, way], lambda a, b, amount: walk(context, a, b, amount))
    return menus


def _draw(panel: _Panel) -> None:
    context, text = panel.context, panel.context.text
    seed = gr.Number(
        precision=0,
        minimum=0,
        maximum=MAX_SEED,
        label=text["draw_seed"],
        info=text["draw_info"],
        elem_id="draw-seed",
    )
    gr.on(fn=any_seed, outputs=seed, **DISPLAY_ONLY)  # at the start of every visit

    def make(number: float | None) -> Voice:
        if number is None:  # a seed in its place would give everybody the same voice
            raise VoiceswapError(text["no_seed"])
        return context.swapper.sample(int(number))

    panel.end("draw", [seed], make)


def _import(panel: _Panel) -> None:
    context, text = panel.context, panel.context.text
    file = gr.File(
        label=text["import_file"],
        type="filepath",
        elem_id="import-file",
        height=140,
    )

    def make(path: str | None) -> Voice:
        return context.swapper.load_voice(require(text, path, "no_voice_file"))

    name = panel.end("import", [file], make)
    file.upload(lambda path: unquote(Path(path).stem), file, name, **DISPLAY_ONLY)


def walk(context: AppContext, first: str | None, second: str | None, amount: float) -> Voice:
    """The mix of two voices with `amount` percent of the second."""
    a, b = (
        context.library.voice(require(context.text, name, "no_voice")) for name in (first, second)
    )
    return a.toward(b, amount / 100)


def blend(context: AppContext, names: tuple[str | None, ...], shares: tuple[float, ...]) -> Voice:
    """A mix of the named voices by their shares; slots without a name are left out."""
    parts = [
        (context.library.voice(name), share)
        for name, share in zip(names, shares, strict=True)
        if name
    ]
    if not sum(share for _, share in parts) > 0:
        raise VoiceswapError(context.text["no_blend"])
    return context.swapper.blend(parts)
