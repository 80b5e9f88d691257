"""The fixed world in which each cell of the table shows: every role in every situation, at one instant."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.decide import decide
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Table, label_of
from liaison.auth.access.world import Fact, Held, Offices, SystemClient, World

from ..stateful import reference
from ..stateful.law import CLASSES, CLOSE, PURPOSES
from ..stateful.reference import Person, Rights, Software, Stated, Territory

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_EVERY_CLASS = " ".join(sorted(CLASSES))
_UNIT, _WHOLE = "Organization/901", "Organization/902"
_RELATIONSHIPS = (
    "",
    "team",
    "stay",
    "unit",
    "referral",
    "emergency",
    "call",
    "tour structure",
    "structure",
    "consent",
    "author",
)
_CONDITIONS = ("", "informed", "mental", "attending", "mental informed")
_SITUATIONS = [f"{kind} {beside}".strip() for kind in _RELATIONSHIPS for beside in _CONDITIONS] + ["tour informed"]
_RELATIONS = {
    "self": Relation.SELF, "represented": Relation.REPRESENTED, "call": Relation.CALL, "team": Relation.TEAM,
    "consent": Relation.CONSENT, "close": Relation.CONSENT, "referral": Relation.REFERRAL, "author": Relation.AUTHOR,
    "emergency": Relation.EMERGENCY, "stay": Relation.STAY, "tour": Relation.TOUR, "structure": Relation.STRUCTURE,
    "attending": Relation.ATTENDING, "mental": Relation.MENTAL_HEALTH, "informed": Relation.INFORMED,
}  # fmt: skip


def _number(reference_: str) -> int:
    return int(reference_.partition("/")[2] or 0)


@dataclass(frozen=True)
class Situation:
    """One patient's world, twice: as the reference reads it and as the engine does."""

    name: str
    territory: Territory
    stated: list[Stated]

    def wanted(self) -> dict[str, Rights]:
        return reference.at(self.territory, self.stated, NOW)

    def world(self) -> World:
        facts = [
            Fact(_number(one.whom), _RELATIONS[one.kind], detail=_detail(one))
            for one in self.stated
            if one.kind in _RELATIONS
        ]
        held = [
            Held(
                _number(one.role),
                _number(one.practitioner),
                _number(one.organization),
                one.code,
                acts_for=_number(one.acts_for),
            )
            for one in self.territory.people
        ]
        clients = [
            SystemClient(_number(one.name), _number(one.organization), one.code, Purpose[one.purpose])
            for one in self.territory.software
        ]
        wholes = {_number(part): (_number(whole),) for part, whole in self.territory.wholes.items()}
        return World(facts, held, wholes, clients, offices=Offices(frozenset(map(_number, self.territory.mandated))))

    def found(self, table: Table) -> dict[str, Rights]:
        return given(self.territory, self.stated, self.world(), table)


def _detail(one: Stated) -> dict[str, object]:
    found: dict[str, object] = {"classes": one.named.split()} if one.named else {}
    return {
        **found,
        **({"holder": "related"} if one.kind == "close" else {}),
        **({"agreed": True} if one.agreed else {}),
    }


@cache
def names(mask: int) -> frozenset[str]:
    return frozenset(one.name for one in bits(Class(mask)) if one.name)


def given(territory: Territory, stated: list[Stated], world: World, table: Table) -> dict[str, Rights]:
    """What the engine decides, in the words of the reference."""
    who = {_number(one): one for one in [*(p.role for p in territory.people), *(s.name for s in territory.software),
                                         *(one.whom for one in stated)]}  # fmt: skip
    found: dict[str, Rights] = {}
    for right in decide(world, table):
        scope = (right.whose.column, f"{right.whose.type_}/{right.whose.res}") if right.whose.column else ("", "")
        key = (right.purpose.name, label_of(right.rule), scope)
        mine = found.setdefault(who[right.principal], {})
        read, write = mine.get(key, (frozenset(), frozenset()))
        mine[key] = (read | names(int(right.read)), write | names(int(right.write)))
    return found


def situations() -> Iterator[Situation]:
    codes = sorted(PURPOSES.keys() - set(CLOSE.split()) - {"patient"})
    people = [
        Person(f"PractitionerRole/{100 + n}", f"Practitioner/{200 + n}", _UNIT, code, *_EVER)
        for n, code in enumerate(codes)
    ]
    territory = Territory(people, [], {_UNIT: _WHOLE}, frozenset({_UNIT}))
    for name in _SITUATIONS:
        yield Situation(name, territory, [one for part in name.split() for one in _stated(part, people)])
    yield _delegations()
    close = [("self", "Patient/1", ""), ("represented", "RelatedPerson/2", ""), ("close", "RelatedPerson/3", _EVERY_CLASS),
             ("close", "RelatedPerson/4", "")]  # fmt: skip
    yield Situation("persons", Territory(), [Stated(kind, whom, *_EVER, named=named) for kind, whom, named in close])
    for agreed in (True, False):  # by the person themselves, or not
        stated = [
            Stated(kind, "RelatedPerson/2", *_EVER, named=_EVERY_CLASS, agreed=agreed)
            for kind in ("represented", "close")
        ]
        yield Situation("a representative whom a consent names", Territory(), stated)


def _stated(part: str, people: list[Person]) -> Iterator[Stated]:
    if part == "informed":
        yield Stated("informed", "", *_EVER)
    elif part == "structure":
        yield Stated("structure", _WHOLE, *_EVER)
    elif part == "unit":
        yield Stated("stay", _UNIT, *_EVER)
    else:
        for one in people:
            yield Stated(part, one.role, *_EVER, named=_EVERY_CLASS if part == "consent" else "")


def _delegations() -> Situation:
    """A doctor with everything a doctor may have, those who stand in for them, and the software of their practice."""
    doctor = Person("PractitionerRole/11", "Practitioner/12", _UNIT, "gp", *_EVER)
    people = [doctor]
    for n, code in enumerate(("substitute", "trainee", "secretary")):
        people.append(
            Person(f"PractitionerRole/{21 + n}", f"Practitioner/{31 + n}", "", code, *_EVER, acts_for=doctor.role)
        )
    software = [Software("Device/41", _UNIT, "gp", "TREAT")]
    kinds = ("team", "mental", "attending", "emergency")
    stated = [Stated(kind, doctor.role, *_EVER) for kind in kinds] + [Stated("informed", "", *_EVER)]
    return Situation("delegations", Territory(people, software, {_UNIT: _WHOLE}), stated)
