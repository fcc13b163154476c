"""The page behind nginx and Caddy below a path, in a real browser."""

import os
import shutil
import socket
import subprocess
import time

import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

from browser import PATIENCE, swap_two

from voiceswap.ui.page import serving

NGINX = """
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
    "proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-For $remote_addr; "
    "client_max_body_size 300m;"
)
CADDY = """
{{
    admin off
}}
http://127.0.0.1:{port} {{
    redir /voice /voice/
    handle_path /voice/* {{
        reverse_proxy 127.0.0.1:{behind} {{
            flush_interval -1
        }}
    }}
}}
"""
PROXIES = {  # configuration, program with its arguments
    "nginx, plain": (NGINX.replace("{more}", ""), "nginx -p {folder} -c {file}"),
    "nginx, as advised": (NGINX.replace("{more}", ADVISED), "nginx -p {folder} -c {file}"),
    "caddy": (CADDY, "caddy run --adapter caddyfile --config {file}"),
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def proxy(tmp_path):
    """Starts a proxy of PROXIES before the page at a port; gives its own port."""
    started = []

    def start(name, behind):
        config, (program, *arguments) = PROXIES[name][0], PROXIES[name][1].split()
        found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
        if found is None:
            pytest.skip(f"there is no {program}")
        port, file = free_port(), tmp_path / "config"
        file.write_text(config.format(folder=tmp_path, port=port, behind=behind, user=USER))
        arguments = [item.format(folder=tmp_path, file=file) for item in arguments]
        own = os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        with open(tmp_path / "output.log", "w") as log:
            command = [found, *arguments]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=own))
        for _ in range(100):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.05)
        raise AssertionError((tmp_path / "output.log").read_text())

    yield start
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.parametrize("name", PROXIES)
def test_a_page_below_a_path_swaps(visit, context, swapper, speech, proxy, name):
    behind = free_port()
    served = serving(context, port=behind, root_path="/voice", hostnames=["127.0.0.1"])
    with served:
        page = visit(f"http://127.0.0.1:{proxy(name, behind)}/voice/")
        swap_two(page, swapper, speech[:2])
