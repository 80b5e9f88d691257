"""The thresholds of the protocols that a person follows, for their curves: from which value on a measure of today would be told.

Shown to clinicians and coordinators, of signals that are on here: what judges a person's state is not until a named doctor has
adopted it (docs/intended-purpose.md). Each with the sources of its rule, as the protocol marks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from liaison.fhir.store import faults
from liaison.protocols.library import Library
from liaison.protocols.signals import Signal, nearest, watching
from liaison.protocols.sources import Cited, sources
from liaison.services.applying import library
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.clinician.place import Place
from liaison.services.pages.reading.measures import reckoned
from liaison.services.pages.reading.values import quantity
from liaison.services.pages.role_names import CARING
from liaison.services.signals import adoption

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Threshold:
    """`rising`: from this value on; otherwise this value or less."""

    title: str
    value: Decimal
    said: str
    rising: bool
    sources: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """A signal that is on, of a protocol that the person follows."""

    signal: Signal
    sources: tuple[Cited, ...]


async def watched_of(place: Place) -> list[Watched]:
    """By the plans that the reader sees; [] for who is neither a clinician nor a coordinator."""
    if place.me.role_code not in CARING:
        return []
    query = {"patient": f"Patient/{place.id}", "status": "active", "_count": "100"}
    plans = await found(place.record, "CarePlan", query, 100)
    if not plans:
        return []
    store = place.record.engine.store
    with faults.reported():
        on = await adoption.in_use(store.database.reading, store.vault)
    known = await library(place.record)
    return [Watched(one, _cited(known, one)) for one in watching(on, plans)]


def thresholds(newest_first: Sequence[Tree], watched: Sequence[Watched], now: datetime) -> tuple[Threshold, ...]:
    """Of one kind of measure, in the unit of its last value."""
    counted = [tree for tree in newest_first if reckoned(tree)]
    last = (counted[0].get("valueQuantity") or {}) if counted else {}
    return tuple(
        Threshold(
            one.signal.title, limit.value, quantity({**last, "value": _short(limit.value)}), limit.rising, one.sources
        )
        for one in watched
        if last.get("code") == one.signal.unit
        for limit in nearest(one.signal, counted, now)
    )


def _short(value: Decimal) -> Decimal | int:
    return int(value) if value == value.to_integral_value() else value


def _cited(known: Library, signal: Signal) -> tuple[Cited, ...]:
    """What its rule rests on."""
    canonical, _hash, id_ = signal.canonical.partition("#")
    rules = known.tree(canonical)
    labels = {
        str(document.get("label"))
        for action in rules.get("action", ())
        if action.get("id") == id_
        for document in action.get("documentation", ())
    }
    return tuple(one for one in sources(rules) if one.label in labels)
