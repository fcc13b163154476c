"""The Swap tab: two recordings, one button, two results."""

import gradio as gr

from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui import comparison
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, heading, player, recorder
from voiceswap.writing import write_audio


def build(context: AppContext) -> None:
    """Lay out the tab inside the current Blocks."""
    text, swapper = context.text, context.swapper
    heading(text["swap_heading"], text["swap_intro"])
    with gr.Row(equal_height=True):
        inputs = []
        for side, example, label in (
            ("a", HELLO, text["example_hello"]),
            ("b", GOODBYE, text["example_goodbye"]),
        ):
            with gr.Column(min_width=280, elem_classes=["vs-card", f"vs-{side}"]):
                inputs.append(recorder(text[f"speaker_{side}"], elem_id=f"swap-{side}"))
                gr.Examples(
                    [[str(example)]],
                    inputs[-1:],
                    example_labels=[label],
                    label=text["or_example"],
                    preload=False,
                    api_visibility="private",
                )
    button = gr.Button(text["swap_button"], variant="primary", size="lg", elem_id="swap-go")

    with gr.Row(visible=False, elem_id="swap-results") as results:
        sounds, pictures, meters = [], [], []
        for source, target in ("ab", "ba"):
            with gr.Column(min_width=280, elem_classes=["vs-card", f"vs-{target}"]):
                label = text[f"swapped_{source}{target}"]
                sounds.append(player(label, elem_id=f"swap-{source}{target}"))
                meters.append(
                    comparison.meter(
                        context, f"speaker_{source}", f"speaker_{target}", source + target
                    )
                )
                pictures.append(comparison.picture(context))

    def swap(a: str | None, b: str | None, request: gr.Request):
        """Swap two voices. Returns both results, with a picture and the similarities of each."""
        with context.answering(request) as check:
            a, b = context.recording(a, "no_a"), context.recording(b, "no_b")
            converted = swapper.swap(a, b)
            check()
            files = [context.result(a, b), context.result(b, a)]
            for path, samples in zip(files, converted, strict=True):
                write_audio(path, samples, swapper.sample_rate)
            compared = [
                comparison.compare(context, a, files[0], [b]),
                comparison.compare(context, b, files[1], [a]),
            ]
        return (
            [str(path) for path in files]
            + [picture for picture, _ in compared]
            + [similarity for _, similarity in compared]
        )

    shown = button.click(lambda: gr.Row(visible=True), None, results, **DISPLAY_ONLY)
    done = shown.then(
        swap,
        inputs,
        sounds + pictures + meters,
        api_name="swap",
        show_progress_on=sounds,
        **context.slots,
    )
    done.failure(lambda: gr.Row(visible=False), None, results, **DISPLAY_ONLY)
