"""What a telephone has sealed: one visit, what the person opposes, that they are home again or a report of abuse, told by an aide, signed by the key of her telephone (RFC 7515, ES256)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

TYPE: Final = "liaison-visit+jws"
LARGEST: Final = 64 * 1024
"""Bytes of one sealed visit: five questions, a note, a permit of fifteen people."""
YEARS: Final = range(1970, 2200)
"""Of a telephone's clock, right or wrong: hours far from these can neither be put right nor told in another zone."""
_FIELDS: Final = {"visit", "permit", "patient", "appointment", "form", "written", "start_typed"}
_MORE: Final = {"corrects", "kind", "asked"}
"""What a letter may have besides: a page that was put by before it was known has none of it."""
VISIT, OPPOSITION, REPORT, RETURN = "visit", "opposition", "report", "return"
_KINDS: Final = frozenset({VISIT, OPPOSITION, REPORT, RETURN})
_PUBLIC: Final = {"kty", "crv", "x", "y"}


class _Registry(jws.JWSRegistry):
    max_header_length = 1024  # the public key is in it


_REGISTRY: Final = _Registry()


class NoLetter(ValueError):
    """What was opened is not one signed visit."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`kind`: what it tells. `form`: what was filled in, by field. `written`: by the telephone's clock. `device`: the RFC 7638 thumbprint of the key that
    signed. `start_typed`: the hour of the beginning was typed, and not taken from that clock. `corrects`: the number of the visit
    that this one tells anew. `asked`: the form that was filled in, '' for the daily one."""

    visit: UUID
    permit: str
    patient: str
    appointment: str
    form: Mapping[str, tuple[str, ...]]
    written: datetime
    start_typed: bool
    device: str
    corrects: UUID | None = None
    kind: str = VISIT
    asked: str = ""


def read(content: bytes) -> Letter:
    """Raises NoLetter."""
    try:
        signed = jws.extract_compact(content, registry=_REGISTRY)
        header, told = signed.headers(), orjson.loads(signed.payload)
        key = _key(header)
        if not jws.validate_compact(signed, key, algorithms=["ES256"]):
            raise NoLetter
        return _letter(told, key.thumbprint())
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoLetter from None


def _key(header: Mapping[str, Any]) -> ECKey:
    jwk = header.get("jwk")
    if header.get("typ") != TYPE or header.get("alg") != "ES256" or not isinstance(jwk, dict) or set(jwk) != _PUBLIC:
        raise NoLetter
    if jwk["crv"] != "P-256":
        raise NoLetter
    return ECKey.import_key(jwk)


def _letter(told: Any, device: str) -> Letter:
    if not isinstance(told, dict) or not _FIELDS <= set(told) <= _FIELDS | _MORE:
        raise NoLetter
    form, written = told["form"], datetime.fromisoformat(told["written"])
    texts = (told["permit"], told["patient"], told["appointment"])
    if not all(isinstance(text, str) for text in texts) or not isinstance(form, dict):
        raise NoLetter
    if written.tzinfo is None or written.year not in YEARS:
        raise NoLetter
    if not isinstance(told["start_typed"], bool):
        raise NoLetter
    filled = {}
    for name, values in form.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise NoLetter
        filled[name] = tuple(values)
    corrects = UUID(told["corrects"]) if "corrects" in told else None
    kind = told.get("kind", VISIT)
    asked = told.get("asked", "")
    if kind not in _KINDS or not isinstance(asked, str):
        raise NoLetter
    return Letter(UUID(told["visit"]), *texts, filled, written, told["start_typed"], device, corrects, kind, asked)
