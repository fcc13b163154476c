"""`voiceswap ui`."""

import signal
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Annotated, Literal

import typer
from rich.text import Text

from voiceswap.commands.options import Device, Model, number
from voiceswap.commands.outputs import console, warn
from voiceswap.errors import VoiceswapError, needs_extra
from voiceswap.models.checkpoint_header import read_metadata

VOICES_FOLDER = Path("~/.voiceswap/voices")
WAKE_SECONDS = 0.5  # after which a signal is noticed at the latest
GRACE_SECONDS = 25.0  # what runs may go on after SIGTERM; a container is killed after 30


def ui(
    host: Annotated[
        str, typer.Option(help="Address to serve; 0.0.0.0 is every network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Also give out a public address for a week, through Gradio's servers."
        ),
    ] = False,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="USER:PASSWORD",
            envvar="VOICESWAP_AUTH",
            help="Ask visitors for this name and password.",
        ),
    ] = None,
    hostname: Annotated[
        list[str] | None,
        typer.Option(
            help="Name by which visitors reach the page, as through a proxy; others are refused.",
            show_default=False,
        ),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            help="Path below which a proxy serves the page, such as /voice.", show_default=False
        ),
    ] = None,
    ssl_certfile: Annotated[
        Path | None, typer.Option(exists=True, help="Certificate, for https.", show_default=False)
    ] = None,
    ssl_keyfile: Annotated[
        Path | None, typer.Option(exists=True, help="The certificate's key.", show_default=False)
    ] = None,
    voices: Annotated[
        Path,
        typer.Option(
            help="Folder of the voice library.",
            envvar="VOICESWAP_VOICES",
            show_default="~/.voiceswap/voices",
        ),
    ] = VOICES_FOLDER,
    lang: Annotated[
        Literal["en", "zh"],
        typer.Option(help="Language of the page at /; visitors may change it."),
    ] = "en",
    queue_size: Annotated[
        int, typer.Option(min=1, help="Requests that may wait; further ones are refused.")
    ] = 16,
    live_sessions: Annotated[
        int, typer.Option(min=1, help="Visitors who may use the tab Live at once.")
    ] = 2,
    max_minutes: Annotated[
        float,
        typer.Option(
            callback=number(0.1),
            help="Longest recording to convert; those of a batch may have ten times that together.",
        ),
    ] = 60.0,
    max_megabytes: Annotated[
        float, typer.Option(callback=number(0.1), help="Largest file to upload.")
    ] = 200.0,
    checkpoint: Model = "default",
    device: Device = "auto",
) -> None:
    """Serve the web page: swap, convert and keep voices in a browser."""
    login = _login(auth)
    if (ssl_certfile is None) != (ssl_keyfile is None):
        raise VoiceswapError("--ssl-certfile and --ssl-keyfile go together: give both.")
    read_metadata(checkpoint)  # what is no model is told before PyTorch loads
    voices = _made(voices)
    with console.status("Loading the model ..."):
        with needs_extra("The web page", "ui"):
            from voiceswap.ui.app_context import AppContext
            from voiceswap.ui.page import serving
            from voiceswap.ui.queues import ADAPT, MODEL, let_finish
            from voiceswap.ui.starter_voices import open_library
            from voiceswap.ui.texts import Texts
        from voiceswap.conversion.swapper import VoiceSwapper

        swapper = VoiceSwapper.load(checkpoint, device)
        context = AppContext(
            swapper,
            open_library(voices, swapper, lang),
            Texts(lang),
            max_minutes,
            max_megabytes,
            queue_size,
            live_sessions,
        )
    _warn(host, share, login is not None, ssl_certfile is not None or root_path is not None)
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ssl_files = (ssl_certfile, ssl_keyfile) if ssl_certfile and ssl_keyfile else None
    served = serving(context, host, port, share, login, hostname or (), root_path, ssl_files)
    with served as (page, address):
        where = Text.assemble(
            "voiceswap is at ",
            (page.share_url or address, "green"),
            f", voices are in {voices}. Ctrl+C ends it.",
        )
        console.print(where, soft_wrap=True)
        with suppress(KeyboardInterrupt):
            # The handler runs in this thread, which a signal to another thread does not wake.
            while not ended.wait(WAKE_SECONDS):
                pass
            let_finish(page, [MODEL, ADAPT], GRACE_SECONDS)


def _login(auth: str | None) -> tuple[str, str] | None:
    """The name and the password of USER:PASSWORD."""
    if auth is None:
        return None
    user, _, password = auth.partition(":")
    if not (user and password):
        raise VoiceswapError("--auth needs a name and a password: --auth USER:PASSWORD.")
    return user, password


def _made(voices: Path) -> Path:
    """The folder of the voice library, which is made where there is none."""
    from voiceswap.conversion.voice_library import make_folder

    try:
        folder = voices.expanduser()
    except RuntimeError as error:  # of a user without one, as a container may have
        raise VoiceswapError("There is no home folder here; name a folder by --voices.") from error
    make_folder(folder)
    return folder


def _warn(host: str, share: bool, asks_password: bool, has_https: bool) -> None:
    """Warn of what strangers may do, and of what browsers will not."""
    from voiceswap.ui.request_guard import is_loopback

    if (share or not is_loopback(host)) and not asks_password:
        warn(
            "Anybody who finds this page can use it and change its voices; "
            "--auth USER:PASSWORD asks for a password."
        )
    if not (is_loopback(host) or has_https):
        warn(
            "Browsers give the microphone to https and localhost only: at this address recordings "
            "can be uploaded, not made; --ssl-certfile and --ssl-keyfile, or a proxy with TLS, "
            "change that."
        )
