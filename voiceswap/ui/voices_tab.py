"""The Voices tab: the library with a map, each voice's buttons, and ways to make a new voice."""

from collections.abc import Callable

import gradio as gr
from gradio.events import Dependency

from voiceswap.ui import new_voice_panel
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, card, heading
from voiceswap.ui.voice_actions import VoiceActions
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
                actions = VoiceActions(context)
                self.chosen, self.use = actions.chosen, actions.use
                self.changes += actions.connect(self.plane)
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
