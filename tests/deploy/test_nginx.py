"""The reverse proxy's configuration: nginx accepts it, and passes on nothing that a client claims to be."""

import http.server
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.nginx import NGINX, certificate, free, needed, running, site


@needed
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    certificate(tmp_path)
    done = subprocess.run(
        [NGINX, "-t", "-c", str(site(tmp_path, 8443, 8081, "127.0.0.1:8080"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


class Upstream(http.server.BaseHTTPRequestHandler):
    """Tells what the proxy passed on."""

    def do_GET(self) -> None:
        body = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of the tests."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    certificate(tmp_path)
    secure, plain, upstream = free(), free(), free()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", upstream), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with running(site(tmp_path, secure, plain, f"127.0.0.1:{upstream}"), secure):
            yield f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}", tmp_path
    finally:
        server.shutdown()
        server.server_close()


def trusting(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    context.check_hostname = False
    return context


@needed
def test_nothing_a_client_claims_is_passed_on_and_nothing_private_is_logged(proxy: tuple[str, str, Path]) -> None:
    secure, plain, folder = proxy
    claims = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=10.0.0.1",
        "X-Real-IP": "10.0.0.1",
        "X-HTTP-Method-Override": "DELETE",
        "Client-Cert": ":Zm9yZ2Vk:",
        "Host": "evil.example",
        "X-Request-Id": "kept",
    }
    with httpx.Client(verify=trusting(folder)) as client:
        seen = client.get(f"{secure}/fhir/Patient?name=MARTIN", headers=claims)
        assert seen.status_code == 200
        assert "evil" not in seen.text
        assert "10.0.0.1" not in seen.text
        assert "override" not in seen.text
        assert "client-cert" not in seen.text
        assert "x-real-ip: 127.0.0.1" in seen.text
        assert "x-request-id: kept" in seen.text
        assert "host: liaison.example.fr" in seen.text
        assert seen.headers["strict-transport-security"].startswith("max-age=")
        client.get(f"{secure}/premier-acces/SECRET-TOKEN")
        assert client.get(f"{secure}/metrics").status_code == 404
        assert client.get(f"{plain}/x").status_code == 301
        statuses = [client.get(f"{secure}/connexion").status_code for _ in range(40)]
        assert 429 in statuses
    until = time.monotonic() + 30  # a line is written after its answer
    while " 429 " not in (folder / "liaison.log").read_text() and time.monotonic() < until:
        time.sleep(0.02)
    logged = (folder / "liaison.log").read_text() + (folder / "liaison-error.log").read_text()
    assert "/fhir/" in logged
    assert "MARTIN" not in logged
    assert "SECRET" not in logged
