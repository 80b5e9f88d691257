"""Where clinical content may go: a mailbox that the directory types as MSSanté, of an operator whom the installation lists.

The type is the extension of FR Core on the ContactPoint, and is checked each time: an address that has none, or another beside it, is
an ordinary one, whatever its domain. A structure's mailbox is read by people whom nobody here knows: it gets the notice alone.
https://hl7.fr/ig/fhir/core/StructureDefinition-fr-core-contact-point-email-type.html
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

from liaison.services.pages.reading.contact import ways
from liaison.services.pages.record import Record

Tree = dict[str, Any]

EMAIL_TYPE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-contact-point-email-type"
MAILBOX_TYPE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie"
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_MOBILE: Final = re.compile(r"\+?[0-9]{6,15}")


class Mailbox(NamedTuple):
    """`own`: one person's; a structure's otherwise."""

    address: str
    own: bool


def is_secure(telecom: Tree) -> bool:
    """Whether the directory says that this is a mailbox of MSSanté, and nothing else."""
    types = [one.get("valueCoding") or {} for one in telecom.get("extension", ()) if one.get("url") == EMAIL_TYPE]
    return telecom.get("system") == "email" and [(one.get("system"), one.get("code")) for one in types] == [
        (MAILBOX_TYPE, "MSSANTE")
    ]


def of_operator(address: str, domains: Collection[str]) -> bool:
    """Whether it is in one of these domains, or below one."""
    found = _ADDRESS.fullmatch(address)
    return found is not None and any(found[1].lower() == one or found[1].lower().endswith(f".{one}") for one in domains)


def is_email(typed: str) -> bool:
    return _ADDRESS.fullmatch(typed) is not None


def mobile(typed: str) -> str:
    """The digits of a number that was typed; '' for what is none."""
    digits = re.sub(r"[ .()-]", "", typed)
    return digits if _MOBILE.fullmatch(digits) else ""


def secure(tree: Tree, domains: Collection[str], now: datetime) -> str:
    """The preferred mailbox of MSSanté of somebody of the directory that holds today; '' for none."""
    typed = {"telecom": [one for one in tree.get("telecom", ()) if is_secure(one)]}
    return next((one for one in ways(typed, "email", now) if of_operator(one, domains)), "")


async def mailbox(record: Record, role: str, domains: Collection[str], now: datetime) -> Mailbox | None:
    """Of a PractitionerRole: its own, the person's, or else the structure's. None: nothing may be sent there."""
    held = await record.read(role)
    if held is None:
        return None
    for own, name in ((True, ""), (True, "practitioner"), (False, "organization")):
        tree = await record.read(str((held.get(name) or {}).get("reference", ""))) if name else held
        if found := secure(tree or {}, domains, now):
            return Mailbox(found, own)
    return None
