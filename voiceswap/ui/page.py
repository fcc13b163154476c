"""The page as a whole: its tabs, and how it is served."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from voiceswap.errors import VoiceswapError
from voiceswap.live.garbage import brief_collections
from voiceswap.ui import (
    about_tab,
    batch_tab,
    convert_tab,
    dialogue_tab,
    live_tab,
    swap_tab,
    voices_tab,
)
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.call_check import wrong_values
from voiceswap.ui.cleanup import temporary_files
from voiceswap.ui.components import DISPLAY_ONLY, html
from voiceswap.ui.environment import environment
from voiceswap.ui.header import header
from voiceswap.ui.limits import Limits
from voiceswap.ui.live_sessions import LiveSessions
from voiceswap.ui.middleware import PageMiddleware, scripts
from voiceswap.ui.queues import COUNTED, pending_calls, stream_function
from voiceswap.ui.request_guard import RequestGuard, is_loopback
from voiceswap.ui.texts import Texts
from voiceswap.ui.theme import CSS, PageTheme
from voiceswap.ui.visit_results import VisitResults

TABS = ("swap", "convert", "dialogue", "live", "voices", "batch", "about")
EMPTIED_SECONDS = 3600  # a visitor's files are removed when they are this old
VISITOR_FILES, TOTAL_FILES = 10, 100  # of the largest size, that one address, and all, may upload
SESSION_CALLS, VISITOR_CALLS = 4, 8  # of the model, running or waiting: of one tab, of one address

LOGIN = (  # what the login page has no style sheet for; before.js fills in the sentence
    "<span class='vs-login'><h1 style='font-size: 1.6rem; font-weight: 650'>voiceswap</h1>"
    "<p role='alert' style='font-weight: 600'></p></span>"
)


def build(context: AppContext) -> gr.Blocks:
    """The page in both languages, not yet served; the other one has an address of its own."""
    other = replace(context, text=context.text.other(), public=False)
    live = LiveSessions(context.swapper, context.library, context.live_sessions)
    with gr.Blocks(title="voiceswap", analytics_enabled=False) as page:
        _lay_out(context, live, page, other.text, f"./{other.text.language}")
    with page.route(other.text["language"], other.text.language, show_in_navbar=False):
        _lay_out(other, live, page, context.text, "./")
    return page.queue(max_size=context.queue_size, api_open=False)


def _lay_out(
    context: AppContext, live: LiveSessions, page: gr.Blocks, other: Texts, there: str
) -> None:
    """The page in one language; `there` is the address of the other."""
    text = context.text
    header(text, other, there)
    html(f"<p class='vs-no-microphone'>{escape(text['no_microphone'])}</p>")
    visit = VisitResults(context)
    with gr.Tabs() as tabs:
        with gr.Tab(text["swap"], id="swap"):
            menus = swap_tab.build(context, visit)
        with gr.Tab(text["convert"], id="convert"):
            target = convert_tab.build(context, visit)
        with gr.Tab(text["dialogue"], id="dialogue"):
            menus += dialogue_tab.build(context, visit)
        with gr.Tab(text["live"], id="live"):
            menus.append(live_tab.build(context, live))
        with gr.Tab(text["voices"], id="voices"):
            voices = voices_tab.VoicesTab(context)
        with gr.Tab(text["batch"], id="batch"):
            menus.append(batch_tab.build(context))
        with gr.Tab(text["about"], id="about"):
            about_tab.build(context)
    page.load(_tab_asked, None, tabs, **DISPLAY_ONLY)
    voices.follow(page, tabs, target, menus)
    visit.lay_out(page)
    html(f"<footer class='vs-footer'>{escape(text['consent'])}</footer>")
    page.unload(_leave(context, live))


def _tab_asked(request: gr.Request) -> gr.Tabs:
    """Opens the tab that the address names, as the link to the other language does."""
    name = request.query_params.get("tab")
    return gr.Tabs(selected=name) if name in TABS else gr.Tabs()


def _limits(context: AppContext, page: gr.Blocks, folder: Path) -> Limits:
    largest = int(context.max_megabytes * 1e6)
    return Limits(
        uploads=folder,
        window=EMPTIED_SECONDS,
        visitor_bytes=VISITOR_FILES * largest,
        total_bytes=TOTAL_FILES * largest,
        waiting=(SESSION_CALLS, max(VISITOR_CALLS, context.queue_size // 2)),
        pending=lambda: pending_calls(page, COUNTED),
    )


def _leave(context: AppContext, live: LiveSessions):
    def leave(request: gr.Request) -> None:
        context.jobs.stop(request.session_hash)
        live.leave(request.session_hash)

    return leave


def _without_proxy(host: str) -> str:
    """Hosts to reach without a proxy of the user's: those that are so already, and this computer.

    Gradio looks whether the page answers, and a proxy does not lead back here.
    """
    known = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    return ",".join(filter(None, (known, "localhost", "127.0.0.1", "::1", host)))


@contextmanager
def serving(
    context: AppContext,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    auth: tuple[str, str] | None = None,
    hostnames: Sequence[str] = (),
    root_path: str | None = None,
    ssl_files: tuple[Path, Path] | None = None,
) -> Iterator[tuple[gr.Blocks, str]]:
    """Serve the page until the block is left. Gives the page and its address.

    What visitors sent and got is removed at the end.

    Args:
        context: the model, the library, texts and limits.
        host, port: where to listen; without a port, the first that is free from 7860 on.
        share: also give out a public address, through Gradio's servers.
        auth: name and password to ask visitors for.
        hostnames: names other than localhost by which visitors address the page; with any, only
            these, unless it is shared. On loopback there are no others anyway.
        root_path: the path below which a proxy serves the page, such as "/voice".
        ssl_files: certificate and key, for https.

    Raises:
        VoiceswapError: the page can't listen there.
    """
    with (
        temporary_files(EMPTIED_SECONDS) as folder,
        environment(
            GRADIO_TEMP_DIR=str(folder),
            # Whose X-Forwarded-For uvicorn believes: a proxy may pass on what its visitor wrote.
            FORWARDED_ALLOW_IPS=os.environ.get("FORWARDED_ALLOW_IPS", ""),
            no_proxy=_without_proxy(host),
        ),
    ):
        page = build(context)
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
                share=share,
                auth=auth,
                auth_message=LOGIN,
                theme=PageTheme(),
                css=CSS,
                root_path=root_path,
                ssl_certfile=str(ssl_files[0]) if ssl_files else None,
                ssl_keyfile=str(ssl_files[1]) if ssl_files else None,
                ssl_verify=False,  # of the page's own check of itself
                favicon_path=Path(__file__).parent / "favicon.svg",
                max_file_size=int(context.max_megabytes * 1e6),
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                quiet=True,
                prevent_thread_lock=True,
                app_kwargs={
                    "middleware": [
                        Middleware(PageMiddleware, scripts=scripts(context)),
                        Middleware(
                            RequestGuard,
                            uploads=folder,
                            hostnames=hostnames,
                            any_host=share or not (is_loopback(host) or hostnames),
                            limits=_limits(context, page, folder),
                            wrong_values=partial(wrong_values, page),
                            stream_function=partial(stream_function, page),
                        ),
                    ]
                },
            )
        except OSError as error:
            raise VoiceswapError(
                f"The page can't listen on {host}, port {port}: another program may; "
                "try another --port."
            ) from error
        # Before Gradio's own middleware, which answers other websites' preflight requests.
        page.app.user_middleware.sort(key=lambda middleware: middleware.cls is not RequestGuard)
        page.app.middleware_stack = page.app.build_middleware_stack()
        try:
            with brief_collections():
                yield page, address
        finally:
            page.close(verbose=False)
