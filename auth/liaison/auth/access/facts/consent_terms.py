"""What is said of a Consent that does not do what whoever wrote it believes: an opposition that stops nobody, or not today; a
masking that hides nothing, or ends by itself; a permission of what is nobody's to permit. Each is the path of an element."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import NOT_BY_CONSENT, union
from liaison.auth.access.facts.consent import (
    IN_FORCE,
    NO_CARE,
    NOBODY,
    SCOPE,
    actors,
    classes_of,
    item,
    named_purposes,
    purposes_of,
)
from liaison.auth.access.facts.reading import Reading, codes, period
from liaison.auth.access.intervals import FOREVER

_NAMING: Final = ("actor", "data", "purpose", "securityLabel", "class", "code", "action", "dataPeriod")
SKEW: Final = timedelta(minutes=5)
"""How far ahead the clock of the sender may be."""


def unbound_denials(reading: Reading) -> Iterator[tuple[str, ...]]:
    """The path of each element of a Consent in force by which what reads as a denial stops nobody: an actor or an item that
    names nobody and nothing here, a purpose that is none, a type that is not said, a category that says otherwise."""
    tree = reading.tree
    if "patient-privacy" not in codes(tree.get("scope"), SCOPE) or tree.get("status") not in IN_FORCE:
        return
    kinds, provision = set(codes(tree.get("category"), vocabulary.CONSENT)), tree.get("provision")
    yield from _unbound(reading, provision, ("Consent", "provision"))
    if "information" in kinds:
        if tree["status"] == "active" and _denies(provision):
            yield ("Consent", "category")
    else:
        yield from _untyped(provision, ("Consent", "provision"), meant="opposition" in kinds)


def _denies(provision: object) -> bool:
    if not isinstance(provision, Mapping):
        return False
    return provision.get("type") == "deny" or any(_denies(one) for one in provision.get("provision") or ())


def _untyped(provision: object, path: tuple[str, ...], *, meant: bool) -> Iterator[tuple[str, ...]]:
    """Each rule that names somebody or something, and does not say whether it permits or denies it. `meant`: the Consent says
    that it is an opposition, of whatever it names. What only holds other rules needs no type."""
    given = provision if isinstance(provision, Mapping) else {}
    nested = given.get("provision") or ()
    if not given.get("type") and not nested and (meant or any(given.get(name) for name in _NAMING)):
        yield (*path, "type")
    for one in nested:
        yield from _untyped(one, (*path, "provision"), meant=meant)


def dated_masking(reading: Reading) -> Iterator[tuple[str, ...]]:
    """The path of each period by which a masking would begin or end by itself, after it is written."""
    yield from _dated(reading, reading.tree.get("provision"), ("Consent", "provision"))


def untimely_denials(reading: Reading, now: datetime) -> Iterator[tuple[str, ...]]:
    """The path of each date by which an opposition of a Consent in force is not in force now: its end is past, or its
    beginning to come."""
    tree = reading.tree
    if "patient-privacy" in codes(tree.get("scope"), SCOPE) and tree.get("status") in IN_FORCE:
        yield from _untimely(tree.get("provision"), ("Consent", "provision"), now)


def _untimely(provision: object, path: tuple[str, ...], now: datetime) -> Iterator[tuple[str, ...]]:
    if not isinstance(provision, Mapping):
        return
    during = period(provision.get("period"))
    if provision.get("type") == "deny" and during is not None:
        if during.end <= now:
            yield (*path, "period", "end")
        elif during.start > now + SKEW:
            yield (*path, "period", "start")
    for nested in provision.get("provision") or ():
        yield from _untimely(nested, (*path, "provision"), now)


def not_to_be_given(reading: Reading) -> Iterator[tuple[str, ...]]:
    """The path of each label of a permission that names what no permission opens (classes.NOT_BY_CONSENT)."""
    tree = reading.tree
    if "patient-privacy" in codes(tree.get("scope"), SCOPE) and tree.get("status") in IN_FORCE:
        yield from _not_to_be_given(tree.get("provision"), ("Consent", "provision"))


def _not_to_be_given(provision: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(provision, Mapping):
        return
    if provision.get("type") == "permit" and union(classes_of(provision)[0]) & NOT_BY_CONSENT:
        yield (*path, "securityLabel")
    for nested in provision.get("provision") or ():
        yield from _not_to_be_given(nested, (*path, "provision"))


def _dated(reading: Reading, provision: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(provision, Mapping):
        return
    during = period(provision.get("period"))
    masks = provision.get("type") == "deny" and provision.get("data")
    if masks and during is not None and (during.start > reading.at or reading.at < during.end < FOREVER):
        yield (*path, "period")
    for nested in provision.get("provision") or ():
        yield from _dated(reading, nested, (*path, "provision"))


def _unbound(reading: Reading, provision: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(provision, Mapping):
        return
    if provision.get("type") == "deny":
        if any(principal == NOBODY for principal, _ in actors(reading, provision)):
            yield (*path, "actor")
        items = [item(reading, data.get("reference")) for data in provision.get("data") or ()]
        if any(item is None or item[0] != reading.key.patient for item in items):
            yield (*path, "data")
        # A masking is one whatever it says it is against.
        if not items and named_purposes(provision) - NO_CARE and not purposes_of(provision):
            yield (*path, "purpose")
    for nested in provision.get("provision") or ():
        yield from _unbound(reading, nested, (*path, "provision"))
