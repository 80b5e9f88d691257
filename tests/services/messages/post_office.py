"""An operator of MSSanté for the tests: a real submission server (aiosmtpd, STARTTLS and a password) and a real mailbox (Dovecot)."""

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from ...certificates import authority, issued, name_of

DOVECOT = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
ADDRESS, PASSWORD = "liaison@ccas.mssante.example", "Un-mot-de-passe-8"
NO_IMAP = "needs Dovecot and root: deploy/setup.sh test installs it (apt-get install dovecot-imapd)"


@dataclass
class PostOffice:
    """`taken`: what it took, with whom it is for. `refuses`: the answer to a recipient instead, such as '550 nobody'."""

    folder: Path
    smtp: str = ""
    imap: str = ""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    refuses: str = ""

    @property
    def login(self) -> Path:
        return self.folder / "login"

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def mails(self) -> list[EmailMessage]:
        return [opened(raw) for _to, raw in self.taken]

    def deliver(self, raw: bytes) -> None:
        """Puts a mail into the mailbox."""
        number = f"{time.time_ns()}.{len(raw)}.essai"
        place = self.folder / "Maildir" / "tmp" / number
        place.write_bytes(raw)
        os.chown(place, *_nobody())
        place.rename(self.folder / "Maildir" / "new" / number)

    # What aiosmtpd calls.
    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        return "250 OK"


def opened(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def _nobody() -> tuple[int, int]:
    found = pwd.getpwnam("nobody")
    return found.pw_uid, found.pw_gid


@contextlib.contextmanager
def running() -> Iterator[PostOffice]:
    """With an `imap` where Dovecot can be started."""
    folder = Path(tempfile.mkdtemp(prefix="liaison-mail-"))
    folder.chmod(0o755)  # Dovecot reads the mailbox as nobody
    office = PostOffice(folder)
    root = authority()
    office.authority.write_bytes(root.pem)
    certificate, key = issued(root, name_of("localhost"), ("localhost",)).write(folder, "server")
    office.login.write_text(f"{ADDRESS}\n{PASSWORD}\n")
    office.login.chmod(0o600)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        # Not handled: aiosmtpd answers then, also that it refuses.
        return AuthResult(success=(given.login, given.password) == (ADDRESS.encode(), PASSWORD.encode()), handled=False)

    server = Controller(
        office,
        "localhost",
        _free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=known,
        auth_required=True,
    )
    server.start()
    office.smtp = f"smtp://localhost:{server.port}"
    try:
        with _dovecot(office, certificate, key):
            yield office
    finally:
        server.stop()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def _dovecot(office: PostOffice, certificate: str, key: str) -> Iterator[None]:
    if DOVECOT is None or os.getuid() != 0:
        yield
        return
    port, folder = _free_port(), office.folder
    for name in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        (folder / name).mkdir()
        os.chown(folder / name, *_nobody())
    uid, gid = _nobody()
    (folder / "dovecot.conf").write_text(
        f"""
        base_dir = {folder}/run
        state_dir = {folder}/run
        log_path = {folder}/dovecot.log
        protocols = imap
        listen = 127.0.0.1
        ssl = required
        ssl_cert = <{certificate}
        ssl_key = <{key}
        first_valid_uid = 1
        first_valid_gid = 1
        mail_location = maildir:{folder}/Maildir
        passdb {{
          driver = static
          args = password={PASSWORD}
        }}
        userdb {{
          driver = static
          args = uid={uid} gid={gid} home={folder}
        }}
        service imap-login {{
          inet_listener imap {{
            port = 0
          }}
          inet_listener imaps {{
            port = {port}
            ssl = yes
          }}
        }}
        """
    )
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        for _try in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise AssertionError((folder / "dovecot.log").read_text())
        office.imap = f"imaps://localhost:{port}"
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def open_office() -> Iterator[PostOffice]:
    with running() as office:
        yield office


@pytest.fixture
def office(open_office: PostOffice) -> PostOffice:
    """With nothing in it."""
    open_office.taken.clear()
    open_office.refuses = ""
    return open_office
