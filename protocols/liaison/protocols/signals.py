"""Signals: what measures that come in, or that stay away, say about somebody whose plan follows a protocol.

A signal is an action of a PlanDefinition of type eca-rule, derived from the protocol that it watches: a trigger that names the
measures and how far to look back, a condition in FHIRPath when it begins, one when it may begin again (kind `stop`), and the
level of the alert. `%value` is the measure, `%previous` the one before, `%lowest`, `%highest` and `%count` are of those in the
window before it; without a measure (a trigger `periodic`) `%count` alone is known, of the window that ends now.

Each signal is replayed over what there is, oldest first: it fires where its condition begins to hold, and not again until it
has stopped (hysteresis). So what came late or was corrected is judged as if it had come in order, and what has fired once has
the same name for ever, by which it is not told twice. Pure: trees in, what fired out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from liaison.fhir.model.dates import span
from liaison.protocols import codes
from liaison.protocols.expressions import holds

Tree = dict[str, Any]

RULES: Final = "eca-rule"
_DAYS: Final = {"d": 1, "wk": 7}
_GRAIN: Final = Decimal("0.1")
_FAR: Final = 1024
"""In grains, of the last measure."""
_STANDS: Final = frozenset({"final", "amended", "corrected", "preliminary"})


@dataclass(frozen=True, slots=True)
class Signal:
    """One rule. `protocol`: the PlanDefinition whose plans it watches. `measures`: (system, code). `unit`: of UCUM; measures in
    another are not read. `stops`: '' where it stops when `begins` holds no more. `absent`: it is about measures that stay away.
    `clinical`: it judges a person's state, and is off until an organisation has adopted it (docs/intended-purpose.md)."""

    canonical: str
    protocol: str
    title: str
    description: str
    level: str
    coding: Tree
    measures: frozenset[tuple[str, str]]
    unit: str
    window: timedelta
    begins: str
    stops: str
    absent: bool
    clinical: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """One value, and the resource that it stands in."""

    at: datetime
    value: Decimal
    tree: Tree

    @property
    def reference(self) -> str:
        return f"{self.tree['resourceType']}/{self.tree['id']}"


@dataclass(frozen=True, slots=True)
class Fired:
    """A signal that began. `by`: the measure that it began with; the last one there was where measures stay away, None where
    there never was one. `seen`: those of the window, `by` the last."""

    signal: Signal
    by: Measure | None
    seen: tuple[Measure, ...]

    @property
    def name(self) -> str:
        """The same for the same signal of any version and the same measure."""
        url, _hash, action = self.signal.canonical.partition("#")
        return f"{url.partition('|')[0]}#{action} {self.by.reference if self.by else ''}"


def signals(plans: Iterable[Tree]) -> list[Signal]:
    """Those of every set of rules among the PlanDefinitions of a library that was checked: nothing is refused here."""
    return [_signal(plan, action) for plan in plans if is_rules(plan) for action in plan.get("action", ())]


def is_rules(plan: Tree) -> bool:
    return any(coding.get("code") == RULES for coding in plan.get("type", {}).get("coding", ()))


def watching(known: Sequence[Signal], plans: Sequence[Tree]) -> list[Signal]:
    """The signals of the protocols that these plans follow, in any version."""
    followed = {str(one).partition("|")[0] for plan in plans for one in plan.get("instantiatesCanonical") or ()}
    return [one for one in known if one.protocol in followed]


def fired(signal: Signal, resources: Sequence[Tree], now: datetime) -> list[Fired]:
    """Each time it began, oldest first; at most once, and only if it still holds, for measures that stay away."""
    measures = sorted(_measures(signal, resources, now), key=lambda one: (one.at, one.reference))
    if signal.absent:
        near = [one for one in measures if one.at > now - signal.window]
        held = holds(signal.begins, {}, {"count": len(near)})
        return [Fired(signal, measures[-1] if measures else None, tuple(measures[-1:]))] if held else []
    found, armed = [], True
    for number, one in enumerate(measures):
        before = [other for other in measures[:number] if other.at >= one.at - signal.window]
        names = _names(one, before)
        begins = holds(signal.begins, one.tree, names)
        if armed and begins:
            found.append(Fired(signal, one, (*before, one)))
            armed = False
        elif not armed and (holds(signal.stops, one.tree, names) if signal.stops else not begins):
            armed = True
    return found


class Limit(NamedTuple):
    """A value that begins a signal, as do those above it (`rising`) or below it."""

    value: Decimal
    rising: bool


def nearest(signal: Signal, resources: Sequence[Tree], now: datetime) -> list[Limit]:
    """From which values a measure that is taken now would begin it, whatever began before: the nearest to the last measure, below
    and above it, to a tenth. [] where measures stay away, without a measure, and for a rule that no value near it begins.

    Of a rule that holds on one side of a value and not on the other; of one that comes and goes, its first turn."""
    measures = sorted(_measures(signal, resources, now), key=lambda one: (one.at, one.reference))
    if signal.absent or not measures:
        return []
    last = measures[-1]
    window = [one for one in measures if one.at >= now - signal.window]
    start = int(last.value / _GRAIN)

    def begins(number: int) -> bool:
        return holds(signal.begins, last.tree, _names(Measure(now, number * _GRAIN, last.tree), window))

    held = begins(start)

    def turn(way: int) -> int | None:
        near, step = start, 1
        while (far := start + way * step) >= 0 and step <= _FAR:
            if begins(far) is not held:
                while abs(far - near) > 1:
                    middle = (near + far) // 2
                    near, far = (near, middle) if begins(middle) is not held else (middle, far)
                return near if held else far
            near, step = far, step * 2
        return None

    return [Limit(found * _GRAIN, rising=held is (way < 0)) for way in (-1, 1) if (found := turn(way)) is not None]


def _names(one: Measure, before: Sequence[Measure]) -> dict[str, Any]:
    values = [other.value for other in before]
    names: dict[str, Any] = {"value": one.value, "count": len(values)}
    known = {"previous": values[-1], "lowest": min(values), "highest": max(values)} if values else {}
    return {**names, **{name: known.get(name, []) for name in ("previous", "lowest", "highest")}}


def _measures(signal: Signal, resources: Sequence[Tree], now: datetime) -> Iterator[Measure]:
    """Those that stand, are in the unit, and are not dated in the future."""
    for tree in resources:
        quantity, at = tree.get("valueQuantity") or {}, _at(tree)
        named = {(coding.get("system"), coding.get("code")) for coding in tree.get("code", {}).get("coding", ())}
        usable = tree.get("status") in _STANDS and "value" in quantity and not quantity.get("comparator")
        if usable and named & signal.measures and quantity.get("code") == signal.unit and at is not None and at <= now:
            yield Measure(at, Decimal(str(quantity["value"])), tree)


def _at(tree: Tree) -> datetime | None:
    found = span(str(tree.get("effectiveDateTime") or tree.get("effectiveInstant") or ""))
    return found[0] if found else None


def _signal(plan: Tree, action: Tree) -> Signal:
    trigger = action["trigger"][0]
    data = needed(action)[0]
    filters = {one["path"]: one["code"] for one in data["codeFilter"]}
    back = data["dateFilter"][0]["valueDuration"]
    told = {one["url"]: one for one in action.get("extension", ())}
    conditions = {one["kind"]: one["expression"]["expression"] for one in action["condition"]}
    return Signal(
        canonical=f"{plan['url']}|{plan['version']}#{action['id']}",
        protocol=protocol_of(plan),
        title=action["title"],
        description=action.get("description", ""),
        level=told[codes.RAISES]["valueCoding"]["code"],
        coding=action["code"][0]["coding"][0],
        measures=frozenset((one["system"], one["code"]) for one in filters["code"]),
        unit=filters["value.ofType(Quantity).code"][0]["code"],
        window=timedelta(days=int(back["value"]) * _DAYS[back["code"]]),
        begins=conditions["start"],
        stops=conditions.get("stop", ""),
        absent=trigger["type"] == "periodic",
        clinical=bool(told.get(codes.CLINICAL_DECISION, {}).get("valueBoolean")),
    )


def needed(action: Tree) -> list[Tree]:
    """The DataRequirements of a signal: of its trigger, or beside it where the trigger is a time (R4: one or the other)."""
    triggers: list[Tree] = action.get("trigger") or [{}]
    found: list[Tree] = triggers[0].get("data") or action.get("input") or []
    return found


def protocol_of(plan: Tree) -> str:
    """The url of the protocol that a set of rules watches; '' for none."""
    told = (one for one in plan.get("relatedArtifact", ()) if one.get("type") == "derived-from")
    return next((str(one.get("resource", "")).partition("|")[0] for one in told), "")
