"""The ways to a new voice of the library: recordings, training, mixes, draws, files."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import gradio as gr
from gradio.events import Dependency

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
    text, library, swapper = context.text, context.library, context.swapper
    names = library.names()
    preview = player(text["preview"], elem_id="voices-preview", render=False)

    def ends(kind: str, inputs: list, make: Callable[..., Voice]) -> gr.Textbox:
        """Lay out the last row of a way: `make(*inputs)` is the voice. Returns the name's box."""

        def listen(*values):
            with answering(context):
                return example_file(context, make(*values), kind)

        def keep(name, *values):
            with answering(context):
                kept = library.add(name or "", make(*values))
            gr.Info(text["kept"])
            return kept

        with gr.Row(equal_height=False, elem_classes="vs-end"):
            play = gr.Button(
                text["listen"], size="md", min_width=110, scale=1, elem_id=f"{kind}-listen"
            )
            name = gr.Textbox(
                label=text["name"], max_length=100, min_width=160, scale=3, elem_id=f"{kind}-name"
            )
            add = gr.Button(
                text["keep"],
                variant="primary",
                size="md",
                min_width=160,
                scale=1,
                elem_id=f"{kind}-keep",
            )
        play.click(
            giving_way(listen), inputs, preview, **context.api(f"listen_{kind}"), **MODEL_SLOTS
        )
        kept = add.click(
            giving_way(keep),
            [name, *inputs],
            chosen,
            **context.api(f"keep_{kind}"),
            show_progress_on=name,
            **MODEL_SLOTS,
        )
        kept.success(lambda: "", None, name, **DISPLAY_ONLY)
        changes.append(kept)
        return name

    with gr.Tabs():
        with gr.Tab(text["from_recordings"]):
            with gr.Row():
                recording = recorder(text["recording"], elem_id="recordings-audio", min_width=260)
                more = recordings_field(text["more_recordings"], 200, min_width=260)
            ends(
                "recordings",
                [recording, more],
                lambda one, many: swapper.voice(
                    require_references(context, [one, *(many or [])], missing="no_recording")
                ),
            )
        with gr.Tab(text["adapt"]):
            changes.append(adapt_panel.build(context, chosen))
        with gr.Tab(text["blend"]):
            menus, shares = [], []
            with gr.Row():
                for number in range(1, BLENDED + 1):
                    with gr.Column(min_width=180):
                        menus.append(
                            voice_menu(
                                f"{text['voice']} {number}",
                                names,
                                value=None,
                                elem_id=f"blend-voice-{number}",
                            )
                        )
                        shares.append(
                            gr.Slider(
                                0,
                                100,
                                50,
                                step=1,
                                label=text["share"],
                                elem_id=f"blend-share-{number}",
                            )
                        )
            ends(
                "blend",
                [*menus, *shares],
                lambda *values: blend(context, values[:BLENDED], values[BLENDED:]),
            )
        with gr.Tab(text["walk"]):
            with gr.Row():
                first = voice_menu(
                    text["walk_from"], names, value=None, elem_id="walk-from", min_width=200
                )
                second = voice_menu(
                    text["walk_to"], names, value=None, elem_id="walk-to", min_width=200
                )
            way = gr.Slider(
                0, 100, 50, step=1, label=text["way"], info=text["way_info"], elem_id="walk-way"
            )
            ends("walk", [first, second, way], lambda a, b, amount: walk(context, a, b, amount))
        with gr.Tab(text["draw"]):
            seed = gr.Number(
                0,
                precision=0,
                minimum=0,
                maximum=MAX_SEED,
                label=text["draw_seed"],
                info=text["draw_info"],
                elem_id="draw-seed",
            )
            ends("draw", [seed], lambda number: swapper.sample(int(number or 0)))
        with gr.Tab(text["import"]):
            file = gr.File(
                label=text["import_file"],
                type="filepath",
                elem_id="import-file",
                height=140,
            )
            name = ends(
                "import",
                [file],
                lambda path: swapper.load_voice(require(context.text, path, "no_voice_file")),
            )
            file.upload(lambda path: unquote(Path(path).stem), file, name, **DISPLAY_ONLY)
    preview.render()
    return [*menus, first, second]


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
