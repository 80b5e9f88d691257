"""What a file of tours changes of what is planned: new visits, changed ones, those that are no longer in it, those that stay.

A visit of a file has its number as an identifier; a later file of the same days is compared by it. What was planned here by hand is
none of the file's, and a visit that was made is not touched any more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from liaison.protocols import codes
from liaison.protocols.forms import wanted
from liaison.protocols.staying import noted
from liaison.services.pages.home_service.arrivals import Planned
from liaison.services.pages.home_service.tour_file import Wanted

Tree = dict[str, Any]
NUMBERS: Final = f"{codes.LOCAL}/id/tour-line"
_KINDS: Final = {
    "visit": "Visite à domicile",
    "visit-short": "Visite courte",
    "visit-breath": "Visite, souffle et jambes",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A line of the file, with whom it names: References of the patient and of the aide."""

    wanted: Wanted
    patient: Tree
    aide: Tree
    before: Tree | None = None
    """The line of that number that was called off, where there is one."""
    form: str = ""
    """The code of the form that the person's plan names; '' for none."""
    away: bool = False
    """Whether the person is in hospital, as it was confirmed: the visit is noted, and pauses."""

    @property
    def number(self) -> str:
        """The planning's number, or, where it gives none, who and when."""
        return self.wanted.number or f"{self.wanted.start:%Y-%m-%dT%H:%M}/{self.patient['reference'].partition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Difference:
    new: list[Named] = field(default_factory=list)
    changed: list[tuple[Planned, Named]] = field(default_factory=list)
    gone: list[Planned] = field(default_factory=list)
    same: int = 0
    made: list[Planned] = field(default_factory=list)
    paused: list[Named] = field(default_factory=list)
    """Of the new ones, the changed ones and those that stay: what nobody makes until the discharge is confirmed."""

    @property
    def changes(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)


def difference(
    named: Sequence[Named], planned: Sequence[Planned], called_off: Sequence[Tree], service: str, now: datetime
) -> Difference:
    """Against the lines that the file may be about (known_lines): those that stand or pause, and those that were called off. What
    pauses and is in the file no more goes on pausing. `service`: the structure whose numbers they are."""
    off = {number: one for one in called_off if (number := number_of(one, service))}
    known = {number: one for one in planned if (number := number_of(one.tree, service))}
    found = Difference(paused=[one for one in named if one.away])
    same = 0
    for one in named:
        before = known.pop(one.number, None)
        if before is None:
            found.new.append(replace(one, before=off.get(one.number)))
        elif before.done:
            found.made.append(before)
        elif (before.paused and one.wanted.start <= now) or _told(before.tree) == _told(
            appointment(one, service, before.tree)
        ):
            same += 1
        else:
            found.changed.append((before, one))
    for left in known.values():
        if not left.paused:
            (found.made if left.done else found.gone).append(left)
    return replace(found, same=same)


def number_of(tree: Mapping[str, Any], service: str) -> str:
    """The number under which this service's file planned it; '' for none."""
    for one in tree.get("identifier") or []:
        value = str(one.get("value", ""))
        if one.get("system") == NUMBERS and value.startswith(f"{service}#"):
            return value.partition("#")[2]
    return ""


def token(one: Named, service: str) -> str:
    """Its number as a search value: what the planning writes in it has no meaning of its own."""
    value = re.sub(r"([\\,$|])", r"\\\1", f"{service}#{one.number}")
    return f"{NUMBERS}|{value}"


def transaction(found: Difference, service: str, at: datetime) -> Tree:
    """All of it or nothing: rights come and go with the lines, in the same transaction."""
    entries: list[Tree] = []
    entries += [_put(one.before, appointment(one, service, one.before)) for one in found.new if one.before]
    for one in (one for one in found.new if not one.before):
        tree = appointment(one, service)
        request = {
            "method": "POST",
            "url": "Appointment",
            "ifNoneExist": urlencode({"identifier": token(one, service)}),
        }
        entries.append({"resource": {**tree, "created": _text(at)}, "request": request})
    entries += [_put(before.tree, appointment(one, service, before.tree)) for before, one in found.changed]
    entries += [
        _put(one.tree, {**one.tree, "status": "cancelled", "cancelationReason": {"text": "Retirée du planning"}})
        for one in found.gone
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def appointment(one: Named, service: str, before: Tree | None = None) -> Tree:
    """The line of the tour; over `before`, who else comes and all that the file does not say stay."""
    tree: Tree = {name: value for name, value in (before or {}).items() if name != "cancelationReason"}
    aides = [p for p in tree.get("participant", []) if is_staff(p)]
    others = [p for p in tree.get("participant", []) if p not in aides]
    if not others:
        others = [{"actor": one.patient, "status": "accepted"}]
    tree |= {
        "resourceType": "Appointment",
        "identifier": [{"system": NUMBERS, "value": f"{service}#{one.number}"}],
        "status": "booked",
        "serviceType": _kind(one, tree),
        "start": _text(one.wanted.start),
        "end": _text(one.wanted.end),
        "participant": [*others, {"actor": one.aide, "status": "accepted"}],
    }
    if one.wanted.what:
        tree["description"] = one.wanted.what
    else:
        tree.pop("description", None)
    return noted(tree) if one.away else tree


def _kind(one: Named, tree: Tree) -> list[Tree]:
    """Which form is filled in there: what the planning says, or else the plan of the person; what it said before where neither does."""
    code = one.wanted.form or one.form
    if not code and "serviceType" in tree:
        return list(tree["serviceType"])
    code = code or "visit"
    return [{"coding": [{"system": codes.HOME_CARE, "code": code, "display": _KINDS[code]}]}]


def is_staff(participant: Tree) -> bool:
    """Whether it is somebody who comes, not the person nor a place."""
    return str((participant.get("actor") or {}).get("reference", "")).startswith(("PractitionerRole/", "Practitioner/"))


def _told(tree: Tree) -> tuple[Any, ...]:
    start, end = (datetime.fromisoformat(str(tree[name])) for name in ("start", "end"))
    actors = sorted(str((one.get("actor") or {}).get("reference", "")) for one in tree.get("participant", []))
    return start, end, str(tree.get("description", "")), tuple(actors), tree.get("status"), wanted(tree, ())


def _put(before: Tree, after: Tree) -> Tree:
    request = {
        "method": "PUT",
        "url": f"Appointment/{before['id']}",
        "ifMatch": f'W/"{before["meta"]["versionId"]}"',
    }
    return {"resource": after, "request": request}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
