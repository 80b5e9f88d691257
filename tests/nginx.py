"""A real nginx with the configuration of deploy/nginx, and this test's ports and folders in the place of a machine's."""

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.certificates import authority

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx" / "liaison.conf"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
needed = pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")


def certificate(folder: Path) -> None:
    """The server's own, made for liaison.example.fr."""
    made = authority("liaison.example.fr")
    (folder / "fullchain.pem").write_bytes(made.pem)
    (folder / "privkey.pem").write_bytes(made.key_pem)


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def site(folder: Path, secure: int, plain: int, upstream: str, *, clients: bool = False) -> Path:
    """nginx.conf around the site file. `clients`: callers may show certificates of the authority in clients.pem."""
    text = CONFIGURATION.read_text()
    if clients:
        text = re.sub(r"# (ssl_client_certificate|ssl_verify_client)", r"\1", text)
    text = text.replace("/etc/ssl/liaison", str(folder)).replace("/var/log/nginx", str(folder))
    text = text.replace("unix:/run/liaison/proxy.sock", upstream)
    text = re.sub(r"listen \[::\].*\n", "", text).replace("listen 443", f"listen 127.0.0.1:{secure}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    (folder / "site.conf").write_text(text)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if Path("/proc/self").owner() == "root" else ""  # who may open the sockets of the tests
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n{paths}"
        f"include {folder}/site.conf;\n}}\n"
    )
    return folder / "nginx.conf"


@contextlib.contextmanager
def running(configuration: Path, secure: int) -> Iterator[None]:
    """From when it listens until it is stopped."""
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-g", "daemon off;"])
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", secure)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)
