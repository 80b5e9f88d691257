"""Where a person lives and how to reach them, as the record has it."""

from datetime import datetime
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say

Tree = dict[str, Any]


_LINKS: Final = {"phone": "tel:", "sms": "tel:", "email": "mailto:"}


def contact(patient: Tree, now: datetime, say: Say = str) -> list[tuple[str, str]]:
    """(text, link): each address, without a link, then each telephone and mailbox. What was replaced, is over or has not
    begun is left out; what is for a time says so."""
    ways = [one for one in patient.get("telecom", []) if one.get("value") and one.get("system") in _LINKS]
    return [
        *((_timed(one, text, say), "") for one in addresses(patient, now) if (text := _line(one))),
        *((_timed(one, str(one["value"]), say), _link(one)) for one in ways if _holds(one, now)),
    ]


def ways(tree: Tree, system: str, now: datetime) -> list[str]:
    """The telephones, mailboxes … of anyone that hold today, the preferred first (R4: `rank`, 1 before 2, before none)."""
    found = [one for one in tree.get("telecom", []) if one.get("system") == system and one.get("value")]
    standing = [one for one in found if _holds(one, now)]
    return [str(one["value"]) for one in sorted(standing, key=lambda one: one.get("rank") or float("inf"))]


def addresses(patient: Tree, now: datetime) -> list[Tree]:
    """Those of today; where the person stays for a time is first, since that is where they are."""
    found = [one for one in patient.get("address", []) if _holds(one, now)]
    return sorted(found, key=lambda one: one.get("use") != "temp")


def postal(patient: Tree, now: datetime) -> list[str]:
    """The lines of an envelope, under the name: where the person is today; none where that is not known."""
    told = next(iter(addresses(patient, now)), {})
    lines = [str(line) for line in told.get("line", []) if line] or [str(told.get("text", ""))]
    return [line for line in (*lines, _town(told)) if line]


def _holds(tree: Tree, now: datetime) -> bool:
    return tree.get("use") != "old" and moments.covers(tree.get("period") or {}, now)


def _timed(tree: Tree, text: str, say: Say) -> str:
    return f"{text} ({say(_('pour un temps'))})" if tree.get("use") == "temp" else text


def _line(address: Tree) -> str:
    if address.get("text"):
        return str(address["text"])
    town = _town(address)
    return ", ".join([*(str(line) for line in address.get("line", []) if line), *([town] if town else [])])


def _town(address: Tree) -> str:
    return " ".join(str(address[name]) for name in ("postalCode", "city") if address.get(name))


def _link(way: Tree) -> str:
    return _LINKS[way["system"]] + str(way["value"]).replace(" ", "")
