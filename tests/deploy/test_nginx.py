"""The reverse proxy's configuration: nginx accepts it, and passes on nothing that a client claims to be."""

import http.server
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "liaison.conf"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
needed = pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "liaison.example.fr")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def site(folder: Path, secure: int, plain: int, upstream: int) -> Path:
    """nginx.conf around the site file, with this test's ports and folders in the place of the machine's."""
    text = CONFIGURATION.read_text()
    text = text.replace("/etc/ssl/liaison", str(folder)).replace("/var/log/nginx", str(folder))
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
    text = re.sub(r"listen \[::\].*\n", "", text).replace("listen 443", f"listen 127.0.0.1:{secure}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    (folder / "site.conf").write_text(text)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n{paths}include {folder}/site.conf;\n}}\n"
    )
    return folder / "nginx.conf"


@needed
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    certificate(tmp_path)
    done = subprocess.run(
        [NGINX, "-t", "-c", str(site(tmp_path, 8443, 8081, 8080))], capture_output=True, text=True, check=False
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
    configuration = site(tmp_path, secure, plain, upstream)
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-g", "daemon off;"])
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", secure)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}", tmp_path
    finally:
        process.terminate()
        process.wait(10)
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
        "Host": "evil.example",
        "X-Request-Id": "kept",
    }
    with httpx.Client(verify=trusting(folder)) as client:
        seen = client.get(f"{secure}/fhir/Patient?name=MARTIN", headers=claims)
        assert seen.status_code == 200
        assert "evil" not in seen.text
        assert "10.0.0.1" not in seen.text
        assert "override" not in seen.text
        assert "x-request-id: kept" in seen.text
        assert "host: liaison.example.fr" in seen.text
        assert seen.headers["strict-transport-security"].startswith("max-age=")
        client.get(f"{secure}/premier-acces/SECRET-TOKEN")
        assert client.get(f"{secure}/metrics").status_code == 404
        assert client.get(f"{plain}/x").status_code == 301
        statuses = [client.get(f"{secure}/connexion").status_code for _ in range(40)]
        assert 429 in statuses
    time.sleep(0.2)
    logged = (folder / "liaison.log").read_text() + (folder / "liaison-error.log").read_text()
    assert "/fhir/" in logged
    assert "MARTIN" not in logged
    assert "SECRET" not in logged
