"""What the plain resources of one patient say of who is concerned by them at this moment.

No intervals: what is over, or has not begun, says nothing.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ..reference.elements import at, period
from . import law

Tree = dict[str, Any]
DAY = timedelta(hours=24)
_PARIS = ZoneInfo("Europe/Paris")
_YEARS = {"parental-authority": 18, "tutelle": 20, "habilitation": 20}
"""The measures that represent, and how many years from the day on which the document was seen (Civil Code 414, 442, 494-6)."""


class Fact(NamedTuple):
    relation: str
    who: str
    classes: frozenset[str] = frozenset()
    informed: bool = False


def facts_of(trees: Callable[[str], Iterator[Tree]]) -> Iterator[Fact]:
    """`trees` gives those of a type."""
    for tree in trees("CareTeam"):
        if tree["status"] == "active" and now(tree, "period"):
            for one in tree.get("participant", ()):
                if now(one, "period"):
                    yield from _member(tree, one)
    for tree in trees("Encounter"):
        if _during_stay(tree) and "visit" not in set(codes(tree)):
            if tree["class"]["code"] == "IMP":
                yield Fact("unit", reference(tree.get("serviceProvider")))
            yield from (Fact("stay", reference(one["individual"])) for one in tree.get("participant", ()))
    for tree in trees("Appointment"):
        if _is_on(tree) and _during_tour(tree):
            for one in tree["participant"]:
                if one["status"] != "declined":
                    yield Fact("tour", reference(one["actor"]))
    for tree in trees("Task"):
        if "restriction" in tree and now(tree["restriction"], "period"):
            who, kinds = reference(tree.get("requester")), set(codes(tree))
            if "emergency-access" in kinds:
                yield Fact("emergency", who)
            if "call" in kinds and tree["status"] == "in-progress":
                yield Fact("call", who)
        if "ServiceRequest/" in reference(tree.get("focus")) and _during_referral(tree):
            yield Fact("referral", reference(tree.get("owner")))
    for tree in trees("RelatedPerson"):
        if tree.get("active") is not False and now(tree, "period") and _represents(tree):
            yield Fact("represented", f"RelatedPerson/{tree['id']}")
    for tree in trees("Consent"):
        yield from _consented(tree)


def reference(element: Any) -> str:
    return element.get("reference", "").partition("/_history/")[0] if element else ""


def named_in(tree: Tree) -> list[str]:
    """What a resource comes from, is computed from, gathers as results, or takes up in a section that is not in another."""
    elements = {
        "Provenance": ["target"],
        "Observation": ["derivedFrom", "hasMember"],
        "DiagnosticReport": ["result"],
    }.get(tree["resourceType"], [])
    sections = tree.get("section", ()) if tree["resourceType"] == "Composition" else ()
    return [
        reference(one) for holder in (tree, *sections) for name in (*elements, "entry") for one in holder.get(name, ())
    ]


def now(tree: Tree, element: str, more: timedelta = timedelta(0)) -> bool:
    start, end = period(tree[element]) if element in tree else (None, None)
    moment = datetime.now(UTC)
    return (start is None or start <= moment) and (end is None or end.year > 9000 or moment < end + more)


def codes(tree: Tree) -> Iterator[str]:
    """Every code of the elements that say what a resource is."""
    for path in ("category", "code", "type"):
        for concept in at(tree, path):
            yield from (one.get("code", "") for one in concept.get("coding", ()))


def _member(team: Tree, one: Tree) -> Iterator[Fact]:
    who = reference(one["member"])
    if who.startswith("Organization/"):
        yield Fact("structure", who)
    elif who.startswith("Practitioner"):
        yield Fact("team", who, informed=bool(one.get("extension")))
        if "mental-health" in codes(team):
            yield Fact("mental", who)
        if "PCP" in {coding["code"] for role in one.get("role", ()) for coding in role["coding"]}:
            yield Fact("attending", who)


def _represents(tree: Tree) -> bool:
    """A measure whose document a named person saw, on a day that has come and not too long ago."""
    said = {one["url"]: one for whole in tree.get("extension", ()) for one in whole["extension"]}
    if not {"measure", "seenBy", "seenOn"} <= said.keys():
        return False
    years = _YEARS.get(said["measure"]["valueCode"], 0)
    seen, today = date.fromisoformat(said["seenOn"]["valueDate"]), datetime.now(_PARIS).date()
    since = today.year - seen.year - ((today.month, today.day) < (seen.month, seen.day))
    return seen <= today and since < years


def _during_stay(tree: Tree) -> bool:
    """Open, or ended less than 24 hours ago."""
    if tree["status"] in ("arrived", "triaged", "in-progress", "onleave"):
        return now(tree, "period", DAY)
    return tree["status"] == "finished" and "end" in tree["period"] and now(tree, "period", DAY)


def _is_on(tree: Tree) -> bool:
    """Standing, or paused while the person is in hospital."""
    why = [
        (one["system"].rpartition("/")[2], one["code"]) for one in tree.get("cancelationReason", {}).get("coding", ())
    ]
    return tree["status"] in ("booked", "arrived", "checked-in", "fulfilled") or (
        tree["status"] == "cancelled" and ("alert-closing", "hospitalised") in why
    )


def _during_tour(tree: Tree) -> bool:
    """From 18 h the evening before to 24 hours after."""
    start, end = (datetime.fromisoformat(tree[name]) for name in ("start", "end"))
    evening = datetime.combine(start.astimezone(_PARIS).date() - timedelta(days=1), time(18), _PARIS)
    return evening <= datetime.now(UTC) < end + DAY


def _during_referral(tree: Tree) -> bool:
    """Accepted, until its end and 24 hours more."""
    if tree["status"] in ("accepted", "in-progress", "on-hold"):
        return now(tree, "executionPeriod", DAY)
    return tree["status"] == "completed" and "end" in tree["executionPeriod"] and now(tree, "executionPeriod", DAY)


def _consented(tree: Tree) -> Iterator[Fact]:
    """A permission once it is active, an opposition from its recording."""
    provision = tree.get("provision", {})
    actors = [reference(one["reference"]) for one in provision.get("actor", ())]
    named = law.classes(" ".join(one["code"] for one in provision.get("securityLabel", ())))
    if tree["status"] not in ("active", "proposed"):
        return
    masking = bool(provision.get("data"))
    if not now({"period": _without_start(provision)} if masking else provision, "period"):
        return  # a masking that was not over when it was written has no dates
    if "information" in codes(tree):
        yield from (Fact("informed", who) for who in actors or [""] if tree["status"] == "active")
    elif masking:
        yield from (Fact("mask", reference(one["reference"])) for one in provision["data"])
    elif provision.get("type") == "deny":
        against = "objection" if any(one["code"] == "ETREAT" for one in provision.get("purpose", ())) else "deny"
        yield from (Fact(against, who, named) for who in actors or [""])
    elif provision.get("type") == "permit" and tree["status"] == "active":
        for who in actors:
            yield Fact("consent", who, named)
            if who.startswith("RelatedPerson/"):
                yield Fact("named", who)
                if any(reference(one).startswith("Patient/") for one in tree.get("performer", ())):
                    yield Fact("agreed", who, named)


def _without_start(provision: Tree) -> Tree:
    return {name: one for name, one in provision.get("period", {}).items() if name == "end"}
