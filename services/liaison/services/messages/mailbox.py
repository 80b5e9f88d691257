"""What comes back to the operator's mailbox, read by IMAP: that a message did not arrive (RFC 3464), was read or deleted unread (RFC
8098), or was answered. A reply is filed by nobody but a person: that there is one is all that is told here.

What a mail says is believed as far as it names one of our messages, whose names are 128 random bits that its reader alone was sent.
The mailbox is opened to be read only: nothing in it changes, so people go on using it.
"""

import email
import email.policy
import imaplib
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from liaison.services.messages.operator import Operator

Kind = Literal["failed", "read", "unread", "replied"]
MOST_BYTES: Final = 200_000
_AT_ONCE: Final = 200
_TIMEOUT_SECONDS: Final = 20
_NAME: Final = re.compile(r"<?\b([0-9a-f]{32})@[A-Za-z0-9.-]+>?")
_UIDVALIDITY: Final = "UIDVALIDITY"


class Place(NamedTuple):
    """How far it was read (RFC 9051 §2.3.1.1)."""

    validity: int
    uid: int


class Outcome(NamedTuple):
    """What became of one of our messages, by its name."""

    name: str
    kind: Kind


def read(operator: Operator, place: Place) -> tuple[Place, list[Outcome]]:
    """What came since that place, and how far it is read now. Raises OSError or imaplib's error."""
    parts = urlsplit(operator.imap)
    with imaplib.IMAP4_SSL(
        parts.hostname or "", parts.port or 993, ssl_context=operator.context(), timeout=_TIMEOUT_SECONDS
    ) as server:
        server.login(operator.user, operator.password)
        server.select("INBOX", readonly=True)
        validity = int((server.response(_UIDVALIDITY)[1] or [b"0"])[0] or 0)
        after = place.uid if validity == place.validity else 0
        _ok, [found] = server.uid("SEARCH", f"UID {after + 1}:*")
        # A range that ends with * holds the last message whatever it begins with.
        uids = sorted(uid for uid in map(int, (found or b"").split()) if uid > after)[:_AT_ONCE]
        outcomes = [outcome for uid in uids for outcome in told(_fetched(server, uid))]
        return Place(validity, uids[-1] if uids else after), outcomes


def _fetched(server: imaplib.IMAP4, uid: int) -> bytes:
    _ok, parts = server.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
    return b"".join(part[1] for part in parts if isinstance(part, tuple))


def told(raw: bytes) -> Iterator[Outcome]:
    """What this mail says of ours; nothing for any other mail."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    kind = str(mail.get_param("report-type", "")).lower() if mail.get_content_type() == "multipart/report" else ""
    if kind == "delivery-status":
        actions = [str(one.get("Action", "")).strip().lower() for one in _blocks(mail, "message/delivery-status")]
        if "failed" in actions:
            yield from (Outcome(name, "failed") for name in _original(mail))
    elif kind == "disposition-notification":
        for block in _blocks(mail, "message/disposition-notification"):
            done = str(block.get("Disposition", "")).partition(";")[2].strip().lower()
            for name in _names(str(block.get("Original-Message-ID", ""))):
                if done.startswith(("displayed", "deleted")):
                    yield Outcome(name, "read" if done.startswith("displayed") else "unread")
    else:
        named = f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}"
        yield from (Outcome(name, "replied") for name in _names(named))


def _blocks(mail: EmailMessage, type_: str) -> Iterator[Message]:
    """The groups of fields of the part of a report that machines read."""
    for part in mail.walk():
        if part.get_content_type() == type_:
            inner = part.get_payload()
            if isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, Message))
            else:
                yield email.message_from_string(str(inner).strip(), policy=email.policy.default)


def _original(mail: EmailMessage) -> list[str]:
    """The names of the message that is given back, whole or by its headers."""
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            return _names(str(email.message_from_string(str(part.get_payload())).get("Message-ID", "")))
        if part.get_content_type() == "message/rfc822" and isinstance(part.get_payload(), list):
            inner = part.get_payload()
            return _names(str(inner[0].get("Message-ID", "")))  # type: ignore[index,union-attr]  # a list, by the line before
    return _names(f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}")


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(_NAME.findall(text)))
