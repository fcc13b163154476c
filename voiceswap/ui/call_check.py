"""What is wrong with the values of a call, before Gradio meets them: it would only log a trace."""

from typing import Any

import gradio as gr

NUMBERS = (gr.Slider, gr.Number)
TEXTS = (gr.Textbox, gr.Radio)
FILES = (gr.Audio, gr.File)


def wrong_values(page: gr.Blocks, function: str | int, values: Any) -> str | None:
    """A sentence on values that a function of the page can't take; None if it can.

    Args:
        page: what is served.
        function: a function's name for programs, or its number.
        values: the call's data. A function that is not known is left to Gradio.
    """
    known = [one for one in page.fns.values() if function in (one._id, one.api_name)]
    if not known or not isinstance(values, list):
        return None
    by_name = isinstance(function, str)
    asked = [one for one in known[0].inputs if not (isinstance(one, gr.State) and by_name)]
    if len(values) < len(asked):
        return f"/{known[0].api_name} takes {len(asked)} values, and there are {len(values)}."
    for number, (component, value) in enumerate(zip(asked, values, strict=False), 1):
        wanted = _wanted(component, value)
        if wanted:
            name = getattr(component, "label", None)
            return f"Value {number} of /{known[0].api_name} ({name}) has to be {wanted}."
    return None


def _wanted(component: Any, value: Any) -> str | None:
    """What a component takes, if the value is none of it."""
    if isinstance(component, gr.Dataframe):
        rows = value.get("data") if isinstance(value, dict) and "headers" in value else None
        given = isinstance(rows, list) and all(isinstance(row, list) for row in rows)
        return None if given else 'a table, as {"headers": [], "data": []}'
    if value is None:
        return None
    if isinstance(component, NUMBERS):
        low, high = component.minimum, component.maximum
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number and low <= value <= high else f"a number from {low} to {high}"
    if isinstance(component, TEXTS):
        return None if isinstance(value, str) else "a text"
    if isinstance(component, gr.Checkbox):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(component, FILES):
        files = value if isinstance(value, list) else [value]
        given = all(isinstance(file, dict) and "path" in file for file in files)
        return None if given else "a file that was uploaded"
    return None
