"""How a message leaves: by the operator of MSSanté (submission, TLS always), as a notice (Apprise), or into a sandbox's folder.

Passwords come from 0600 files that the settings name. No text of a server is kept or logged: it may repeat an address.
"""

import asyncio
import contextlib
import logging
import os
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from liaison.services.messages.operator import BadOperator, Operator, secret_lines
from liaison.services.settings import Settings

TIMEOUT_SECONDS = 20


class Later(Exception):
    """It could not leave now. `why`: a word of ours."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Undeliverable(Later):
    """It will not be taken, whenever it is sent."""


class Carrier(Protocol):
    """`sender`: the address that it is from. Raises Later."""

    sender: str

    async def carry(self, message: EmailMessage) -> None: ...


class Notifier(Protocol):
    """Gives this text, and nothing else, to that e-mail address or number. Raises Later."""

    async def notify(self, to: str, name: str, text: str, subject: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Carriers:
    """What is on. `spool`: where a sandbox puts it all, None elsewhere."""

    secure: Carrier | None = None
    notices: Mapping[str, Notifier] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    operator: Operator | None = None
    spool: Path | None = None

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(self.notices) | (frozenset({"mssante"}) if self.secure else frozenset())


def carriers(settings: Settings) -> Carriers:
    """Raises BadOperator for a file of secrets that is not there, that others may read, or that says something else."""
    if settings.message_spool is not None:
        spool = Spool(settings.message_spool)
        return Carriers(spool, {"email": spool, "sms": spool}, settings.mssante_domains, None, settings.message_spool)
    operator = Operator.of(settings)
    notices: dict[str, Notifier] = {}
    if settings.notices_file is not None:
        for line in secret_lines(settings.notices_file, "LIAISON_NOTICES_FILE"):
            channel, equals, url = line.partition("=")
            if not equals or channel.strip() not in ("email", "sms") or "{to}" not in url:
                raise BadOperator("LIAISON_NOTICES_FILE has lines of email=URL or sms=URL, with {to} in the URL.")
            notices[channel.strip()] = Apprise(url.strip())
    return Carriers(Smtp(operator) if operator else None, notices, settings.mssante_domains, operator)


class Smtp:
    """The operator's submission server (RFC 6409)."""

    def __init__(self, operator: Operator) -> None:
        self.sender = operator.address
        self._operator = operator

    async def carry(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._carry, message)

    def _carry(self, message: EmailMessage) -> None:
        try:
            with self.signed_in() as server:
                asks = ["NOTIFY=FAILURE"] if server.has_extn("dsn") else []  # RFC 3461 §4.1
                server.send_message(message, rcpt_options=asks)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise (Undeliverable if all(500 <= code < 600 for code in codes) else Later)("address") from None
        except smtplib.SMTPDataError as error:
            raise (Undeliverable if 500 <= error.smtp_code < 600 else Later)("content") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Later(type(error).__name__) from None

    def signed_in(self) -> smtplib.SMTP:
        """Raises SMTPException or OSError. Never without TLS, of a certificate that is checked."""
        parts = urlsplit(self._operator.smtp)
        host, context = parts.hostname or "", self._operator.context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        try:
            server.login(self._operator.user, self._operator.password)
        except BaseException:
            server.close()
            raise
        return server


class Spool:
    """A folder of .eml files: nothing leaves. For sandboxes alone."""

    sender = "liaison@liaison.mssante.example"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(self, message: EmailMessage) -> None:
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        await asyncio.to_thread(self._write, f"{name}.eml", message.as_bytes())

    async def notify(self, to: str, name: str, text: str, subject: str) -> None:
        made = EmailMessage()
        made["To"], made["Subject"] = to, subject
        made.set_content(text)
        await asyncio.to_thread(self._write, f"{name}.eml", made.as_bytes())

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = self._folder / f".{name}"
            with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(content)
            place.rename(self._folder / name)
        except OSError:
            raise Later("folder") from None


class Apprise:
    """A notice by the service that an Apprise URL names; `{to}` in it is the address. https://github.com/caronc/apprise

    Limit: these services have no name for a message, so that one which is sent again arrives twice. It says nothing."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def notify(self, to: str, name: str, text: str, subject: str) -> None:  # no such service takes a name
        if not await asyncio.to_thread(self._notify, self._url.replace("{to}", quote(to, safe="")), text, subject):
            raise Later("notice")

    @staticmethod
    def _notify(url: str, text: str, subject: str) -> bool:
        import apprise  # a second to load, and only where notices are on

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log the address
        service = apprise.Apprise()
        with contextlib.suppress(TypeError):
            return service.add(url) and bool(service.notify(body=text, title=subject))
        return False
