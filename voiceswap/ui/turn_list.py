"""Who speaks when in a dialogue: a strip to look at, and a table to correct."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from voiceswap.conversion.turns import COLUMNS, Turn, parse_turn, timecode
from voiceswap.ui.components import html
from voiceswap.ui.texts import Texts

# The value has nothing but numbers.
_STRIP = """
${value ? `<p class="vs-note">%(legend)s</p><div class="vs-strip" role="img"
  aria-label="%(turns)s">${value.map(([share, who]) =>
    `<i class="${who === 1 ? "vs-a" : who === 2 ? "vs-b" : ""}" style="flex-grow:${share}"></i>`
  ).join("")}</div>` : ""}"""
_LEGEND = '<i class="vs-{}"></i> {}'


@dataclass(frozen=True)
class Found:
    """The turns that were found in the recording `source`, None where a visitor gave them."""

    source: str
    turns: list[Turn] | None


def turn_strip(text: Texts) -> gr.HTML:
    """The component; its value is that of `shares`."""
    sides = (("a", "speaks_first"), ("b", "speaks_second"))
    legend = " ".join(_LEGEND.format(side, text[name]) for side, name in sides)
    return html(html_template=_STRIP % {"legend": legend, "turns": text["turns"]})


def shares(turns: Sequence[Turn]) -> list[tuple[float, int]]:
    """Of each turn, its share of the recording and the number of who speaks."""
    return [((turn.end - turn.start) / turns[-1].end, turn.speaker) for turn in turns]


def turn_table(text: Texts) -> gr.Dataframe:
    """The component; its value is that of `rows`, or what a visitor made of it."""
    return gr.Dataframe(
        headers=[text[f"turn_{column}"] for column in COLUMNS],
        column_count=(len(COLUMNS), "fixed"),  # type: ignore[arg-type]  # the menu is for rows
        type="array",
        interactive=True,
        max_height=320,
        buttons=[],
        label=text["turns"],
        show_label=False,
        elem_id="dialogue-turns",
    )


def rows(turns: Sequence[Turn]) -> list[list[str]]:
    """Start, end and speaker of each turn, times as 1:23.500."""
    return [[timecode(turn.start), timecode(turn.end), str(turn.speaker)] for turn in turns]


def turns_of(text: Texts, cells: Sequence[Sequence]) -> list[Turn] | None:
    """The turns of a table's cells, None for an empty one. Raises DataError for what is none."""
    turns = []
    for number, row in enumerate(cells, 1):
        if any(str(cell or "").strip() for cell in row):
            place = text["turn_place"].format(number=number)
            turns.append(parse_turn(dict(zip(COLUMNS, map(str, row), strict=False)), place))
    return turns or None
