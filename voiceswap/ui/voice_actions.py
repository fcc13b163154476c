"""What can be done with one voice of the library: play, take, rename, export and delete it."""

import gradio as gr
from gradio.events import Dependency

from voiceswap.ui.answers import answering
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, player, voice_menu
from voiceswap.ui.inputs import require
from voiceswap.ui.jobs import giving_way
from voiceswap.ui.queues import MODEL_SLOTS
from voiceswap.ui.result_files import example_file
from voiceswap.ui.voice_exports import VoiceExports
from voiceswap.ui.voice_map import map_points

OFF: dict = {"size": "md", "interactive": False}  # until a voice is chosen


class VoiceActions:
    """A menu of the library, and buttons for the voice that it chooses, laid out here.

    Attributes:
        chosen: the menu.
        use: the button that takes the voice to Convert.
    """

    def __init__(self, context: AppContext):
        text = context.text
        self.context, self.exports = context, VoiceExports(context.library)
        names = context.library.names()
        self.chosen = voice_menu(text["voice"], names, value=None, elem_id="voices-chosen")
        with gr.Row():
            self.play = gr.Button(text["listen"], min_width=110, elem_id="voices-listen", **OFF)
            self.use = gr.Button(text["use"], min_width=150, elem_id="voices-use", **OFF)
        self.example = player(text["spoken"], elem_id="voices-spoken")
        with gr.Row(equal_height=False, elem_classes="vs-end"):
            self.new_name = gr.Textbox(
                label=text["new_name"],
                max_length=100,
                scale=3,
                min_width=140,
                elem_id="voices-new-name",
            )
            self.rename = gr.Button(
                text["rename"], scale=1, min_width=90, elem_id="voices-rename", **OFF
            )
        with gr.Row():
            self.export = gr.DownloadButton(
                text["export"], min_width=110, elem_id="voices-export", **OFF
            )
            self.delete = gr.Button(text["delete"], min_width=110, elem_id="voices-delete", **OFF)
        with gr.Row(visible=False) as self.question:
            self.sure = gr.Button(
                text["delete_sure"],
                size="md",
                variant="stop",
                min_width=110,
                elem_id="voices-delete-sure",
            )
            self.back = gr.Button(text["delete_not"], size="md", min_width=110)
        self.buttons = [self.play, self.use, self.rename, self.delete]

    def connect(self, plane: gr.HTML) -> list[Dependency]:
        """Have the buttons do their work, and the map `plane` choose a voice.

        Returns the events that change the library.
        """
        chosen, api = self.chosen, self.context.api
        self.play.click(
            giving_way(self.listen_voice),
            chosen,
            self.example,
            **api("listen_voice"),
            **MODEL_SLOTS,
        )
        renamed = self.rename.click(
            self.rename_voice, [chosen, self.new_name], chosen, **api("rename_voice")
        )
        renamed.success(lambda: "", None, self.new_name, **DISPLAY_ONLY)
        self.delete.click(lambda: gr.Row(visible=True), None, self.question, **DISPLAY_ONLY)
        self.back.click(lambda: gr.Row(visible=False), None, self.question, **DISPLAY_ONLY)
        deleted = self.sure.click(self.delete_voice, chosen, None, **api("delete_voice"))
        deleted.then(lambda: gr.Row(visible=False), None, self.question, **DISPLAY_ONLY)
        shown = [self.export, plane, self.example, *self.buttons]
        chosen.change(self._show, chosen, shown, **DISPLAY_ONLY)
        plane.select(_picked, None, chosen, **DISPLAY_ONLY)
        if self.context.public:
            gr.api(self.list_voices, queue=False)
            gr.api(self.export_voice, queue=False)
        return [renamed, deleted]

    def listen_voice(self, name: str | None, request: gr.Request):
        """The example sentence in a voice."""
        with answering(self.context, request):
            name = self._required(name)
            return example_file(self.context, self.context.library.voice(name), name)

    def rename_voice(self, name: str | None, new: str):
        """Give a voice another name. Returns the stored name."""
        with answering(self.context):
            return self.context.library.rename(self._required(name), new)

    def delete_voice(self, name: str | None):
        """Delete a voice."""
        with answering(self.context):
            self.context.library.delete(self._required(name))

    def export_voice(self, name: str | None) -> str:
        """A voice's .safetensors file."""
        with answering(self.context):
            return str(self.exports.file(self._required(name)))

    def list_voices(self) -> list[str]:
        """The names of the voices in the library."""
        with answering(self.context):
            return self.context.library.names()

    def _required(self, name: str | None) -> str:
        return require(self.context.text, name, "no_voice")

    def _show(self, name: str | None) -> list:
        """Switches the buttons on when the name is a voice's, and shows it on the map."""
        known = name in self.context.library.names()
        file = gr.update(value=self.export_voice(name) if known else None, interactive=known)
        switched = [gr.update(interactive=known)] * len(self.buttons)
        return [file, map_points(self.context, name if known else None), None, *switched]


def _picked(event: gr.EventData) -> str:
    return event.value
