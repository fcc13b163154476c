"""The Voices tab: the library with a map, each voice's buttons, and ways to make a new voice."""

from collections.abc import Callable

import gradio as gr
from gradio.events import Dependency

from voiceswap.ui import new_voice_panel
from voiceswap.ui.answers import answering
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, card, heading, player, voice_menu
from voiceswap.ui.inputs import require
from voiceswap.ui.jobs import giving_way
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import example_file
from voiceswap.ui.voice_exports import VoiceExports
from voiceswap.ui.voice_map import map_points, voice_map


class VoicesTab:
    """The tab, laid out where this is made; `follow` connects it with the rest of the page."""

    def __init__(self, context: AppContext):
        text = context.text
        self.context = context
        self.changes: list[Dependency] = []  # the events that change the library
        heading(text["voices_heading"], text["voices_intro"])
        with gr.Row(equal_height=True):
            with card(scale=3, min_width=300):
                heading(text["map"], text["map_info"], level=3)
                self.plane = voice_map(text["map"], text["map_list"], text["map_empty"])
            with card(scale=2, min_width=300):
                heading(text["one_voice"], level=3)
                self.chosen, self.use = _one_voice(context, self.plane, self.changes)
        with card():
            heading(text["new_voice"], text["new_voice_info"], level=3)
            self.menus = new_voice_panel.build(context, self.chosen, self.changes)

    def follow(
        self, page: gr.Blocks, tabs: gr.Tabs, target: gr.Dropdown, others: list[gr.Dropdown]
    ) -> None:
        """Update all menus when the library changes; take a voice to Convert's menu `target`."""
        menus = [*self.menus, target, *others]
        events: list[Callable] = [page.load, *(change.success for change in self.changes)]
        for event in events:
            event(
                lambda choice: _fill(self.context, choice, len(menus)),
                self.chosen,
                [self.plane, self.chosen, *menus],
                **DISPLAY_ONLY,
            )
        self.use.click(
            lambda name: (gr.Tabs(selected="convert"), [name]),
            self.chosen,
            [tabs, target],
            **DISPLAY_ONLY,
        )


def _fill(context: AppContext, choice: str | None, menus: int) -> list:
    """Updates for the map, the menu with the choice, and the other menus."""
    names = context.library.names()
    choice = choice if choice in names else None
    return [
        map_points(context, choice),
        gr.update(choices=names, value=choice),
        *[gr.update(choices=names)] * menus,
    ]


def _one_voice(
    context: AppContext, plane: gr.HTML, changes: list[Dependency]
) -> tuple[gr.Dropdown, gr.Button]:
    """Lay out the actions on a voice of the library.

    Returns the menu that chooses it, and the button that takes it to Convert.
    """
    text, library, exports = context.text, context.library, VoiceExports(context.library)
    chosen = voice_menu(text["voice"], library.names(), value=None, elem_id="voices-chosen")
    off: dict = {"size": "md", "interactive": False}  # until a voice is chosen
    with gr.Row():
        listen = gr.Button(text["listen"], min_width=110, elem_id="voices-listen", **off)
        use = gr.Button(text["use"], min_width=150, elem_id="voices-use", **off)
    example = player(text["spoken"], elem_id="voices-spoken")
    with gr.Row(equal_height=False, elem_classes="vs-end"):
        new_name = gr.Textbox(
            label=text["new_name"],
            max_length=100,
            scale=3,
            min_width=140,
            elem_id="voices-new-name",
        )
        rename = gr.Button(text["rename"], scale=1, min_width=90, elem_id="voices-rename", **off)
    with gr.Row():
        export = gr.DownloadButton(text["export"], min_width=110, elem_id="voices-export", **off)
        delete = gr.Button(text["delete"], min_width=110, elem_id="voices-delete", **off)
    with gr.Row(visible=False) as question:
        sure = gr.Button(
            text["delete_sure"],
            size="md",
            variant="stop",
            min_width=110,
            elem_id="voices-delete-sure",
        )
        back = gr.Button(text["delete_not"], size="md", min_width=110)

    def listen_voice(name: str | None, request: gr.Request):
        """The example sentence in a voice."""
        with answering(context, request):
            name = require(text, name, "no_voice")
            return example_file(context, library.voice(name), name)

    def rename_voice(name: str | None, new: str):
        """Give a voice another name. Returns the stored name."""
        with answering(context):
            return library.rename(require(text, name, "no_voice"), new)

    def delete_voice(name: str | None):
        """Delete a voice."""
        with answering(context):
            library.delete(require(text, name, "no_voice"))

    def export_voice(name: str | None) -> str:
        """A voice's .safetensors file."""
        with answering(context):
            return str(exports.file(require(text, name, "no_voice")))

    def list_voices() -> list[str]:
        """The names of the voices in the library."""
        with answering(context):
            return library.names()

    actions = [listen, use, rename, delete]

    def choose(name: str | None) -> list:
        """Switches the buttons on when the name is a voice's, and shows it on the map."""
        known = name in library.names()
        file = gr.update(value=export_voice(name) if known else None, interactive=known)
        switched = [gr.update(interactive=known)] * len(actions)
        return [file, map_points(context, name if known else None), None, *switched]

    listen.click(
        giving_way(listen_voice), chosen, example, **context.api("listen_voice"), **MODEL_SLOTS
    )
    renamed = rename.click(rename_voice, [chosen, new_name], chosen, **context.api("rename_voice"))
    renamed.success(lambda: "", None, new_name, **DISPLAY_ONLY)
    delete.click(lambda: gr.Row(visible=True), None, question, **DISPLAY_ONLY)
    back.click(lambda: gr.Row(visible=False), None, question, **DISPLAY_ONLY)
    deleted = sure.click(delete_voice, chosen, None, **context.api("delete_voice"))
    deleted.then(lambda: gr.Row(visible=False), None, question, **DISPLAY_ONLY)
    changes += [renamed, deleted]
    chosen.change(choose, chosen, [export, plane, example, *actions], **DISPLAY_ONLY)
    plane.select(_picked, None, chosen, **DISPLAY_ONLY)
    if context.public:
        gr.api(list_voices, queue=False)
        gr.api(export_voice, queue=False)
    return chosen, use


def _picked(event: gr.EventData) -> str:
    return event.value
