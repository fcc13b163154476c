"""The Convert tab: one recording in another voice, with every setting."""

import gradio as gr

from voiceswap.ui import comparison
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY, heading, player, recorder, settings, target_parts


def build(context: AppContext) -> list[gr.Dropdown]:
    """Lay out the tab inside the current Blocks. Returns its menus of the library's voices."""
    text = context.text
    heading(text["convert_heading"], text["convert_intro"])
    with gr.Row():
        with gr.Column(min_width=280, elem_classes=["vs-card", "vs-a"]):
            source = recorder(text["source"], elem_id="convert-source")
        with gr.Column(min_width=280, elem_classes=["vs-card", "vs-b"]):
            reference = recorder(text["target"], elem_id="convert-target")
            with gr.Accordion(text["more_targets"], open=False):
                more, voices = target_parts(
                    context, text["more_recordings"], text["saved_voices_info"], "convert"
                )
    with gr.Accordion(text["settings"], open=False, elem_id="convert-settings"):
        options = settings(text, "convert")
    with gr.Row():
        button = gr.Button(
            text["convert_button"], variant="primary", size="lg", elem_id="convert-go", scale=4
        )
        stop = gr.Button(
            text["stop"], size="lg", elem_id="convert-stop", scale=1, min_width=100, visible=False
        )
    with gr.Column(
        visible=False, elem_classes=["vs-card", "vs-b"], elem_id="convert-results"
    ) as results:
        sound = player(text["converted"], elem_id="convert-result")
        with gr.Row():
            with gr.Column(min_width=280):
                meter = comparison.meter(context, "source_speaker", "target_speaker")
            with gr.Column(min_width=280):
                drawn = comparison.picture(context)

    def convert(
        source: str | None,
        reference: str | None,
        more: list[str] | None,
        voices: list[str] | None,
        pitch: float = 0.0,
        pitch_range: float = 1.0,
        strength: float = 100.0,
        seed: float | None = None,
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # gradio's way to ask for one
    ):
        """Convert a recording to the average voice of recordings and saved voices."""
        with context.answering(request) as check:
            source = context.recording(source, "no_source", context.max_minutes * 60)
            recordings = [path for path in (reference, *(more or [])) if path]
            targets = context.references(recordings, voices or [])

            def report(done: float) -> None:
                check()
                progress(done, desc=text["converting"])

            out = context.result(source, targets[0])
            number = None if seed is None else int(seed)
            context.swapper.convert_file(
                source,
                targets,
                out,
                progress=report,
                pitch_shift=pitch,
                pitch_range=pitch_range,
                strength=strength / 100,
                seed=number,
            )
            return str(out), *comparison.compare(context, source, out, recordings)

    rows = [results, stop]
    shown = button.click(
        lambda: (gr.Column(visible=True), gr.Button(visible=True)), None, rows, **DISPLAY_ONLY
    )
    inputs = [source, reference, more, voices, *options]
    done = shown.then(
        convert,
        inputs,
        [sound, drawn, meter],
        api_name="convert",
        show_progress_on=sound,
        **context.slots,
    )
    done.success(lambda: gr.Button(visible=False), None, stop, **DISPLAY_ONLY)
    done.failure(
        lambda: (gr.Column(visible=False), gr.Button(visible=False)), None, rows, **DISPLAY_ONLY
    )

    stop.click(context.halt, None, rows, cancels=done, **DISPLAY_ONLY)
    return [voices]
