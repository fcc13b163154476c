"""The page as a whole: its tabs, and how it is served."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from voiceswap.errors import VoiceswapError
from voiceswap.ui import about_tab, batch_tab, convert_tab, swap_tab, voices_tab
from voiceswap.ui.front import Front, script
from voiceswap.ui.studio import Studio
from voiceswap.ui.theme import CSS, LOGO, Quiet

EMPTIED_SECONDS = 3600  # a visitor's files are removed when they are this old


def build(studio: Studio) -> gr.Blocks:
    """The page, not yet served."""
    text = studio.text
    with gr.Blocks(title="voiceswap", analytics_enabled=False, delete_cache=(300, EMPTIED_SECONDS)) as page:
        light = escape(text["light"])
        gr.HTML(
            f"<header class='vs-header'>{LOGO}<div><h1>voiceswap</h1><p>{escape(text['tagline'])}</p></div>"
            f"<button type='button' class='vs-light' aria-label='{light}' title='{light}'>◐</button></header>",
            apply_default_css=False,
            js_on_load="element.querySelector('.vs-light').onclick = () => document.body.classList.toggle('dark');",
        )
        with gr.Tabs():
            with gr.Tab(text["swap"], id="swap"):
                swap_tab.build(studio)
            with gr.Tab(text["convert"], id="convert"):
                menus = convert_tab.build(studio)
            with gr.Tab(text["voices"], id="voices"):
                follow = voices_tab.build(studio)
            with gr.Tab(text["batch"], id="batch"):
                menus += batch_tab.build(studio)
            with gr.Tab(text["about"], id="about"):
                about_tab.build(studio)
        follow(page, menus)
        gr.HTML(f"<footer class='vs-footer'>{escape(text['consent'])}</footer>", apply_default_css=False, js_on_load=None)
        page.unload(_leave(studio))
    return page.queue(max_size=studio.queue_size)


def _leave(studio: Studio):
    def leave(request: gr.Request) -> None:
        studio.jobs.stop(request.session_hash)

    return leave


@contextmanager
def serving(
    studio: Studio, host: str = "127.0.0.1", port: int | None = None, share: bool = False, auth: tuple[str, str] | None = None
) -> Iterator[tuple[gr.Blocks, str]]:
    """Serve the page until the block is left. Gives the page and its address; what visitors sent and got is removed at the end."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    with tempfile.TemporaryDirectory(prefix="voiceswap-ui-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder).resolve())
        try:
            page = build(studio)
            try:
                _, address, _ = page.launch(
                    server_name=host,
                    server_port=port,
                    share=share,
                    auth=auth,
                    theme=Quiet(),
                    css=CSS,
                    favicon_path=Path(__file__).parent / "favicon.svg",
                    max_file_size=int(studio.max_megabytes * 1e6),
                    footer_links=[],
                    run_history=False,
                    enable_monitoring=False,
                    ssr_mode=False,
                    quiet=True,
                    prevent_thread_lock=True,
                    app_kwargs={"middleware": [Middleware(Front, script=script(studio))]},
                )
            except OSError as error:
                raise VoiceswapError(f"The page can't listen on {host}, port {port}: another program may; try another --port.") from error
            try:
                yield page, address
            finally:
                page.close(verbose=False)
        finally:
            if before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = before
