"""Who may see what of one patient at one instant: the law read straight, without stretches of time or rows.

Plain data in, plain data out; it shares no code with liaison.auth.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .law import CLASSES, DELEGATES, OF_ROLE, PURPOSES, SECRETARY, TAKEN, UNNAMED, classes

Names = frozenset[str]
Scope = tuple[str, str]
"""Whose entries: ('', '') anyone's, else the column and the reference that it must hold."""
Key = tuple[str, str, Scope]
Rights = dict[Key, tuple[Names, Names]]
"""(purpose, rule, scope) → classes read, classes written."""
ANYONES: Scope = ("", "")


@dataclass(frozen=True)
class Stated:
    """One thing that is so from `start` until `end`. `whom` '' means everyone."""

    kind: str
    whom: str
    start: datetime
    end: datetime
    named: str = ""  # the classes that a consent or an opposition names
    informed: bool = False
    agreed: bool = False  # of a consent: by the person themselves

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True)
class Person:
    """Someone in a role; `acts_for` the role or person that a delegate stands in for."""

    role: str
    practitioner: str
    organization: str
    code: str
    start: datetime
    end: datetime
    acts_for: str = ""


@dataclass(frozen=True)
class Software:
    name: str
    organization: str
    code: str
    purpose: str


@dataclass
class Territory:
    people: list[Person] = field(default_factory=list)
    software: list[Software] = field(default_factory=list)
    wholes: dict[str, str] = field(default_factory=dict)
    mandated: frozenset[str] = frozenset()
    """Whose auditors answer for the whole territory."""
    aside: set[str] = field(default_factory=set)
    """Whom the directory has put aside: roles, people and structures. The roles concerned wait."""

    def on_duty(self, moment: datetime) -> list[Person]:
        return [
            one
            for one in self.people
            if one.start <= moment < one.end and not self.aside & {one.role, one.practitioner, one.organization}
        ]

    def structures(self, organization: str) -> list[str]:
        found: list[str] = []
        while organization and organization not in found:
            found.append(organization)
            organization = self.wholes.get(organization, "")
        return found


def at(territory: Territory, stated: Sequence[Stated], moment: datetime) -> dict[str, Rights]:
    """By who asks: a role, a person close to the patient, a client. Whoever may nothing is left out."""
    now = [one for one in stated if one.holds(moment)]
    on_duty = territory.on_duty(moment)
    first = {one: _own(territory, one, now) for one in on_duty if one.code not in DELEGATES}
    found: dict[str, Rights] = {}
    for person, rights in first.items():
        _add(found, person.role, _flat(rights))
    for person in on_duty:
        if person.code in DELEGATES:
            _add(found, person.role, _flat(_own(territory, person, now)))
            inherited = _delegated(person, [rights for one, rights in first.items() if _answers(one, person)])
            _add(found, person.role, _flat(_undenied(territory, person, now, inherited)))
    for one in now:
        for code, kind in (("patient", "self"), ("guardian", "represented"), ("caregiver", "close")):
            if one.kind == kind:
                _add(found, one.whom, _of_the_person(code, one, now))
    for software in territory.software:
        for person, rights in first.items():
            if person.code == software.code and software.organization in territory.structures(person.organization):
                _add(found, software.name, _of_software(software, rights))
    return {who: rights for who, rights in found.items() if rights}


Given = list[tuple[str, Key, Names, Names]]
"""(relationship, key, read, write): the rights of one person before they are put together."""


def _flat(given: Given) -> Rights:
    found: Rights = {}
    for _, key, read, write in given:
        if read or write:
            before = found.get(key, (frozenset(), frozenset()))
            found[key] = (before[0] | read, before[1] | write)
    return found


def _add(found: dict[str, Rights], who: str, rights: Rights) -> None:
    mine = found.setdefault(who, {})
    for key, (read, write) in rights.items():
        before = mine.get(key, (frozenset(), frozenset()))
        mine[key] = (before[0] | read, before[1] | write)


def _own(territory: Territory, person: Person, now: Sequence[Stated]) -> Given:
    me, ours = {person.role, person.practitioner}, territory.structures(person.organization)
    beside = {name for name in ("mental", "attending") if any(one.kind == name and one.whom in me for one in now)}
    told = any(one.kind == "informed" and (not one.whom or one.whom in me or one.whom in ours) for one in now)
    house = any(one.kind == "structure" and one.whom in ours for one in now)
    given: Given = []
    for relationship, fact in [("office", None), *_relationships(person, me, ours, now)]:
        if relationship == "tour" and not house:
            continue
        so = {relationship, *beside, *(["informed"] if told or (fact is not None and fact.informed) else [])}
        for line in OF_ROLE.get(person.code, ()):
            if relationship in line.needs and line.needs <= so:
                named = classes(fact.named) if fact is not None and fact.named else UNNAMED
                read = named & line.within if line.read is None else line.read
                purpose = "ETREAT" if line.urgent else PURPOSES[person.code]
                scopes = _scopes(person, line.scope)
                for scope in _of_office(territory, person, now) if relationship == "office" else scopes:
                    given.append((relationship, (purpose, line.rule, scope), read, line.write))
    return _undenied(territory, person, now, given)


def _relationships(
    person: Person, me: set[str], ours: list[str], now: Sequence[Stated]
) -> Iterable[tuple[str, Stated | None]]:
    for one in now:
        if (
            one.kind in ("team", "consent", "referral", "emergency", "call", "stay", "tour", "author")
            and one.whom in me
        ):
            yield one.kind, one
        elif one.kind == "stay" and one.whom == person.organization:
            yield "stay", one
        elif one.kind in ("structure", "consent") and one.whom in ours:
            yield one.kind, one


def _of_office(territory: Territory, person: Person, now: Sequence[Stated]) -> Iterable[Scope]:
    """All of what is theirs by the convention, or because someone or a structure of theirs is around the person; else what was
    done in a structure of theirs."""
    every = {person.organization, *territory.wholes} - {""} if person.organization else set()
    ours = {one for one in every if person.organization in territory.structures(one)}
    on_duty = [one for one in territory.people if not territory.aside & {one.role, one.practitioner, one.organization}]
    staff = {name for one in on_duty if one.organization in ours for name in (one.role, one.practitioner)}
    if person.organization in territory.mandated or any(one.whom and one.whom in ours | staff for one in now):
        yield ANYONES
    if person.organization not in territory.mandated:
        yield from (("service", one) for one in sorted(ours))


def _scopes(person: Person, scope: str) -> Iterable[Scope]:
    if scope == "any":
        yield ANYONES
    if scope == "own":
        yield "author", person.practitioner
    if scope in ("addressed", "in-person"):
        yield "addressee", person.practitioner
    if scope in ("addressed", "service") and person.organization:
        yield "addressee" if scope == "addressed" else "service", person.organization


def _undenied(territory: Territory, person: Person, now: Sequence[Stated], given: Given) -> Given:
    # Who opposes someone in one role opposes the person, in every role that they come in.
    roles = {one.role for one in territory.people if one.practitioner == person.practitioner}
    named = {person.role, person.practitioner, *roles, *territory.structures(person.organization)}
    return [(how, key, *_less(how, key[0], named, now, read, write)) for how, key, read, write in given]


def _less(
    how: str, purpose: str, named: set[str], now: Sequence[Stated], read: Names, write: Names
) -> tuple[Names, Names]:
    urgent = how == "emergency" or (how == "call" and purpose == "ETREAT")
    for one in now:
        if one.whom and one.whom not in named:
            continue
        gone: Names = frozenset()
        if one.kind == "objection" and urgent:
            gone = CLASSES
        elif one.kind == "opposition" and (one.whom or not (urgent or how == "office")):
            gone = classes(one.named) if one.named else CLASSES if one.whom else CLASSES - {"CONSENT"}
        read, write = read - gone, write - gone
    return read, write


def _answers(one: Person, delegate: Person) -> bool:
    return (
        PURPOSES[one.code] == "TREAT"
        and one.code != "psychologist"
        and delegate.acts_for in (one.role, one.practitioner)
    )


def _delegated(person: Person, sources: Sequence[Given]) -> Given:
    found: Given = []
    for how, (purpose, _, scope), read, write in [right for source in sources for right in source]:
        if how == "emergency" or not (read or write):
            continue
        if person.code == "secretary":
            if how == "team" and scope == ANYONES:
                found.append(("deleg", ("COORD", "10b", ANYONES), *SECRETARY))
        elif purpose == "TREAT":
            rule, taken = ("8" if person.code == "substitute" else "9"), TAKEN[person.code]
            found.append(("deleg", (purpose, rule, scope), read - taken, write - taken))
            if scope[0] == "author":
                mine = taken - {"MASKED", "PROT"}
                found.append(("deleg", (purpose, rule, ("author", person.practitioner)), read - mine, write - mine))
    return found


def _of_the_person(code: str, one: Stated, now: Sequence[Stated]) -> Rights:
    relationship = {"patient": "self", "guardian": "represented", "caregiver": "consent"}[code]
    given: Given = []
    for line in OF_ROLE[code]:
        if relationship not in line.needs:
            continue
        by_consent = code == "caregiver" or "agreed" in line.needs
        agreed = [other for other in now if other.kind == "close" and other.whom == one.whom and other.agreed]
        for said in agreed if "agreed" in line.needs else [one]:
            named = classes(said.named) if said.named else frozenset[str]()
            read, write = (named & line.within if line.read is None else line.read), line.write
            if by_consent:
                read, write = _less("consent", "PATRQT", {one.whom}, now, read, write)
            given.append((relationship, ("PATRQT", line.rule, ANYONES), read, write))
    return _flat(given)


def _of_software(software: Software, rights: Given) -> Rights:
    return _flat(
        [
            (how, (purpose, "26d", scope), read - {"MASKED"}, write - {"MASKED"})
            for how, (purpose, _, scope), read, write in rights
            if purpose == software.purpose and scope[0] != "author" and not scope[1].startswith("Practitioner/")
        ]
    )


def covers(rights: Rights, purpose: str, owners: Mapping[str, str], column: int = 0) -> Names:
    """The classes that may be read (written: column 1) of something with these owners, for this purpose."""
    found: set[str] = set()
    for (for_what, _, (whose, whom)), classes_ in rights.items():
        if for_what == purpose and (not whose or owners.get(whose) == whom):
            found |= classes_[column]
    return frozenset(found)


def edges(stated: Iterable[Stated], territory: Territory) -> set[datetime]:
    """The instants at which something may change."""
    dates: Iterable[Stated | Person] = [*stated, *territory.people]
    return {edge for one in dates for edge in (one.start, one.end)}


def differences(
    wanted: Mapping[str, Rights], found: Mapping[str, Rights]
) -> list[tuple[str, Key, tuple[Names, Names], tuple[Names, Names]]]:
    """(who, key, what the law gives, what is there) where they are not the same."""
    none: tuple[Names, Names] = (frozenset(), frozenset())
    return [
        (who, key, mine, theirs)
        for who in sorted({*wanted, *found})
        for key in sorted({*wanted.get(who, {}), *found.get(who, {})})
        if (mine := wanted.get(who, {}).get(key, none)) != (theirs := found.get(who, {}).get(key, none))
    ]
