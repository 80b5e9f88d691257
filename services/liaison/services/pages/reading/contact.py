"""Where a person lives and how to reach them, as the record has it."""

from datetime import datetime
from typing import Any, Final

from liaison.services.pages.reading import moments

Tree = dict[str, Any]

_OVER: Final = frozenset({"old", "temp"})
_LINKS: Final = {"phone": "tel:", "sms": "tel:", "email": "mailto:"}


def contact(patient: Tree, now: datetime) -> list[tuple[str, str]]:
    """(text, link): each address, without a link, then each telephone and mailbox. What was replaced, is
    over or has not begun is left out."""
    addresses, ways = (
        [one for one in patient.get(name, []) if moments.covers(one.get("period") or {}, now)]
        for name in ("address", "telecom")
    )
    addresses = [one for one in addresses if one.get("use") not in _OVER]
    ways = [one for one in ways if one.get("use") != "old" and one.get("value")]
    return [
        *((text, "") for one in addresses if (text := _line(one))),
        *((str(one["value"]), _link(one)) for one in ways if one.get("system") in _LINKS),
    ]


def _line(address: Tree) -> str:
    if address.get("text"):
        return str(address["text"])
    town = " ".join(str(address[name]) for name in ("postalCode", "city") if address.get(name))
    return ", ".join([*(str(line) for line in address.get("line", []) if line), *([town] if town else [])])


def _link(way: Tree) -> str:
    return _LINKS[way["system"]] + str(way["value"]).replace(" ", "")
