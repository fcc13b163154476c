"""A job of the page: its button, the Stop that stands in its place meanwhile, its results."""

from collections.abc import Callable, Sequence

import gradio as gr
from gradio.blocks import BlockContext
from gradio.components import Component
from gradio.events import Dependency

from voiceswap.ui.app_context import AppContext
from voiceswap.ui.components import DISPLAY_ONLY
from voiceswap.ui.jobs import giving_way

# Only where the result is out of sight: on a phone it is below all that was filled in.
_SHOW = """() => setTimeout(() => {
  const box = document.getElementById("%s");
  const top = box ? box.getBoundingClientRect().top : 0;
  if (box && (top < 0 || top > innerHeight / 2)) box.scrollIntoView();
}, 100)"""


class Run:
    """The two buttons of a job, laid out where this is made.

    Args:
        context: what the page shares.
        label: the text of the button that starts the job.
        name: of the job; the elements are NAME-go, NAME-stop and NAME-results.
    """

    def __init__(self, context: AppContext, label: str, name: str):
        self.context, self.name = context, name
        self.button = gr.Button(label, variant="primary", size="lg", elem_id=f"{name}-go")
        self.stop = gr.Button(
            context.text["stop"], variant="stop", size="lg", visible=False, elem_id=f"{name}-stop"
        )

    def connect(
        self,
        job: Callable,
        inputs: Sequence[Component],
        outputs: Sequence[Component],
        results: BlockContext,
        first: Sequence[Component] = (),
        **options,
    ) -> Dependency:
        """Run `job` by the button. `results`, which holds `outputs`, shows from the start.

        What an earlier job gave is cleared then, and all of it is hidden when this one fails.
        Until there is a result, what has the class vs-with-result is hidden. `first` are outputs
        before the others that are elsewhere, and keep their values meanwhile.
        Gives the event of the job; `options` are those of the event.
        """
        buttons = [self.button, self.stop]

        def shown(*more: str) -> dict:
            return gr.update(visible=True, elem_classes=[*results.elem_classes, *more])

        def idle() -> list:
            return [gr.update(visible=True), gr.update(visible=False)]

        def succeed() -> list:
            return [*idle(), shown()]

        def begin() -> list:
            working = [gr.update(visible=False), gr.update(visible=True)]
            return [*working, shown("vs-running"), *[None] * len(outputs)]

        def fail() -> list:
            return [*idle(), gr.update(visible=False)]

        def halt(request: gr.Request) -> list:
            self.context.jobs.stop(request.session_hash)
            return fail()

        show = _SHOW % f"{self.name}-results"
        begun = self.button.click(begin, None, [*buttons, results, *outputs], **DISPLAY_ONLY)
        begun.then(None, js=show, **DISPLAY_ONLY)
        done = begun.then(giving_way(job), list(inputs), [*first, *outputs], **options)
        done.success(succeed, None, [*buttons, results], js=show, **DISPLAY_ONLY)
        done.failure(fail, None, [*buttons, results], **DISPLAY_ONLY)
        self.stop.click(halt, None, [*buttons, results], cancels=done, **DISPLAY_ONLY)
        return done
