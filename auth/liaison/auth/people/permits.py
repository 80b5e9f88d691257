"""The permit that goes with a tour: whose visits a telephone may tell later, without any network in between.

It names the aide, her role and service, the telephone, the people of the tour, the hours in which their visits may lie, and
the key that signs for this telephone. Sealed under the territory's key: nobody else can make one or change it, and a telephone
that is lost tells nothing by it.
"""

import base64
import binascii
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from liaison.fhir.vault import NotAuthentic, PatientKey, context

BEFORE: Final = timedelta(hours=18)
"""How long before the tour was fetched a visit of it may have begun: that of this morning, told after a new sign-in."""
GOOD_FOR: Final = timedelta(hours=36)
"""How long after it was fetched: today and tomorrow."""
DELIVERED_WITHIN: Final = timedelta(hours=72)
"""After which a person looks at a visit before it is in the record."""
_CONTEXT: Final = context("visit permit")


class NoPermit(ValueError):
    """What was given is no permit of ours."""


@dataclass(frozen=True, slots=True)
class Permit:
    """`aide` and `service` are References with their display. `patients` are ids. `device` is the RFC 7638 thumbprint of the
    telephone's key. `began` and `ends` bound when a visit may have begun."""

    account: int
    practitioner: int
    role: int
    organization: int
    phone: int
    aide: dict[str, Any]
    service: dict[str, Any]
    patients: tuple[str, ...]
    began: datetime
    ends: datetime
    device: str


def given(key: PatientKey, permit: Permit) -> str:
    """The permit as a telephone carries it; small, since it goes with each visit of the tour."""
    told = zlib.compress(orjson.dumps(asdict(permit)), 9)
    return base64.urlsafe_b64encode(key.seal(_CONTEXT, told)).rstrip(b"=").decode()


def read(key: PatientKey, text: str) -> Permit:
    """Raises NoPermit."""
    try:
        opened = key.open(_CONTEXT, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        # A telephone may still carry one of before permits were made small.
        told = orjson.loads(opened if opened.startswith(b"{") else zlib.decompress(opened))
    except (NotAuthentic, binascii.Error, zlib.error, ValueError):
        raise NoPermit from None
    told["patients"] = tuple(map(str, told["patients"]))
    told["began"], told["ends"] = (datetime.fromisoformat(told[name]) for name in ("began", "ends"))
    return Permit(**told)
