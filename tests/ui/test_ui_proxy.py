"""The page behind nginx below a path, in a real browser."""

import os
import shutil
import socket
import subprocess
import time

import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

from browser import assert_same, result, samples_of, upload

from voiceswap.ui.page import serving

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIG = """
{user} daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; location /voice/ {{
        proxy_pass http://127.0.0.1:{behind}/; {more} }} }}
}}
"""
USER = "user root;" if os.name == "posix" and os.geteuid() == 0 else ""
ADVISED = (
    "proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_buffering off; "
    "proxy_set_header X-Forwarded-Proto $scheme; client_max_body_size 300m;"
)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def nginx(tmp_path):
    """Starts nginx before a page; gives its port."""
    if NGINX is None:
        pytest.skip("there is no nginx")
    started = []

    def start(behind, more):
        port = free_port()
        config = CONFIG.format(folder=tmp_path, port=port, behind=behind, more=more, user=USER)
        (tmp_path / "nginx.conf").write_text(config)
        started.append(subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf", "-p", tmp_path]))
        for _ in range(100):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.05)
        raise AssertionError((tmp_path / "error.log").read_text())

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("more", ["", ADVISED], ids=["plain", "advised"])
def test_a_page_below_a_path_swaps(visit, context, swapper, speech, nginx, more):
    behind = free_port()
    served = serving(context, port=behind, root_path="/voice", hostnames=["127.0.0.1"])
    with served:
        page = visit(f"http://127.0.0.1:{nginx(behind, more)}/voice/")
        upload(page, "swap-a", speech[0])
        upload(page, "swap-b", speech[1])
        page.click("#swap-go")
        expected = swapper.swap(speech[0], speech[1])
        for element, samples in zip(("swap-ab", "swap-ba"), expected, strict=True):
            assert_same(samples_of(result(page, element)), samples)
