"""Who may see and write what, read from the plain resources of a world at one moment, by the table of law.py.

No intervals, no grants, no masks: facts are looked up in the resources as they stand, and asked whether they hold now.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from . import law
from .facts import Fact, Tree, facts_of, named_in, now, reference


class Version(NamedTuple):
    """One version of a resource: what it is, and whose. `tree` of a deletion is the content before it."""

    ref: str
    tree: Tree
    patient: str
    classes: frozenset[str]
    author: str
    service: str
    addressee: str
    deleted: bool = False
    number: int = 1


@dataclass
class Held:
    """Someone's role: what a PractitionerRole says, or what was registered for a piece of software."""

    ref: str
    person: str
    organization: str
    code: str
    acts_for: str = ""
    software: bool = False
    urgent: bool = False  # in an emergency access or a regulating doctor's call

    def in_an_emergency(self) -> "Held":
        return replace(self, urgent=True)


class Right(NamedTuple):
    reads: frozenset[str]
    writes: frozenset[str]
    whose: tuple[str, str]  # ('', '') for anyone's; else the column of a version, and what it must hold
    relation: str


@dataclass
class World:
    """Every version of every resource, the oldest first. What is written is added by `write`."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    openers: dict[str, str] = field(default_factory=dict)  # patient → who opened the record
    mandated: set[str] = field(default_factory=set)  # whose auditors answer for the whole territory
    _facts: dict[str, list[Fact]] = field(default_factory=dict)
    _rights: dict[tuple[str, str, str, bool], list[Right]] = field(default_factory=dict)

    def write(self, version: Version) -> None:
        self.versions.setdefault(version.ref, []).append(version)
        self._facts.pop(version.patient, None)
        self._rights.clear()

    def current(self) -> Iterator[Version]:
        return (found[-1] for found in self.versions.values() if not found[-1].deleted)

    def trees(self, type_: str, patient: str = "") -> Iterator[Tree]:
        prefix = f"{type_}/"
        return (one.tree for one in self.current() if one.ref.startswith(prefix) and one.patient == patient)

    # ---- the directory ----

    def structures(self, organization: str) -> list[str]:
        """It, and all that it is part of."""
        found: list[str] = []
        while organization and organization not in found:
            found.append(organization)
            organization = reference(self.versions[organization][-1].tree.get("partOf"))
        return found

    def held(self) -> list[Held]:
        return [held_by(tree) for tree in self.trees("PractitionerRole") if tree.get("active") and now(tree, "period")]

    # ---- facts ----

    def facts(self, patient: str) -> list[Fact]:
        if patient not in self._facts:
            self._facts[patient] = list(self._read_facts(patient))
        return self._facts[patient]

    def _read_facts(self, patient: str) -> Iterator[Fact]:
        yield Fact("self", patient)
        if patient in self.openers:
            yield Fact("author", self.openers[patient])
        yield from facts_of(lambda type_: self.trees(type_, patient))

    def names(self, held: Held) -> list[str]:
        """By whatever an opposition may name someone: who is opposed in one role is so in all of theirs."""
        roles = [one.ref for one in self.held() if one.person == held.person]
        return [held.ref, held.person, *roles, *self.structures(held.organization)]

    def denied(
        self, patient: str, names: Iterable[str], *, office: bool = False, urgent: bool = False
    ) -> frozenset[str]:
        """What oppositions take from someone known by these names: those to everyone, and those to them."""
        gone: set[str] = set()
        for fact in self.facts(patient):
            if fact.relation == "deny" and fact.who in names:
                gone |= fact.classes or law.classes(law.EVERYTHING)
            if fact.relation == "objection" and urgent and (not fact.who or fact.who in names):
                gone |= law.classes(law.EVERYTHING)
            if fact.relation == "deny" and not fact.who and not office and not urgent:
                # The consents stay visible, so that someone can confirm the opposition.
                gone |= fact.classes or law.classes(law.EVERYTHING) - {"CONSENT"}
        return frozenset(gone)

    # ---- rights ----

    def rights(self, patient: str, held: Held) -> list[Right]:
        key = (patient, held.ref, held.code, held.urgent)
        if key not in self._rights:
            self._rights[key] = list(self._undenied(patient, held, self._of(patient, held)))
        return self._rights[key]

    def _undenied(self, patient: str, held: Held, rights: Iterable[Right]) -> Iterator[Right]:
        office = held.code in ("auditor", "dpo")
        denied = self.denied(patient, self.names(held), office=office, urgent=held.urgent)
        for right in rights:
            # The person and their representative are not subject to their own oppositions.
            gone = frozenset() if right.relation in ("self", "represented") else denied
            left = right._replace(reads=right.reads - gone, writes=right.writes - gone)
            if left.reads | left.writes:
                yield left

    def _of(self, patient: str, held: Held) -> Iterator[Right]:
        if held.software:  # row 26d: what people of the structure in that role have, nothing personal, nothing masked
            for other in self.held():
                if other.code == held.code and held.organization in self.structures(other.organization):
                    for right in self.rights(patient, other):
                        if "Practitioner/" not in right.whose[1]:
                            yield right._replace(reads=right.reads - {"MASKED"}, writes=right.writes - {"MASKED"})
            return
        if held.code in ("substitute", "trainee", "secretary"):
            yield from self._delegated(patient, held)
        facts = self.facts(patient)
        me, structures = (held.ref, held.person), self.structures(held.organization)
        told = {"", *me, *structures}
        states = {
            "mental": any(one.relation == "mental" and one.who in me for one in facts),
            "attending": any(one.relation == "attending" and one.who in me for one in facts),
            "informed": any(one.relation == "informed" and one.who in told for one in facts),
        }
        represents = any(one.relation == "represented" and one.who in me for one in facts)
        in_team = any(one.relation == "structure" and one.who in structures for one in facts)
        for fact in [*facts, Fact("office", held.ref)]:
            relation = {"unit": "stay"}.get(fact.relation, fact.relation)
            mine = fact.who in me or (
                fact.who
                in {"unit": structures[:1], "structure": structures, "consent": structures}.get(fact.relation, ())
            )
            if not mine or (relation == "tour" and not in_team):
                continue
            for line in law.TABLE:
                conditions = {**states, "informed": states["informed"] or fact.informed}
                if (
                    line.urgent == held.urgent
                    and held.code in line.roles.split()
                    and relation in line.relations.split()
                    and all(conditions[name] for name in line.when.split())
                ):
                    reads = law.classes(line.reads)
                    if relation == "agreed" and not represents:  # row 22: for as long as both hold
                        continue
                    if relation in ("consent", "agreed"):
                        reads &= fact.classes or law.classes("" if held.code in PERSONS else law.ORDINARY)
                    scopes = _whose(line.whose, held)
                    for whose in self._of_office(facts, held) if relation == "office" else scopes:
                        yield Right(reads, law.classes(line.writes), whose, relation)

    def _delegated(self, patient: str, held: Held) -> Iterator[Right]:
        """Rows 8, 9 and 10b: what whoever they act for has, within both their dates."""
        for other in self.held():
            if held.acts_for not in (other.ref, other.person) or other.code not in law.HEALTH.split():
                continue
            for right in self.rights(patient, other):
                if held.code == "secretary":
                    if right.relation == "team" and not right.whose[0]:
                        yield Right(law.classes(law.SECRETARY), law.classes(law.SECRETARY), ("", ""), "deleg")
                    continue
                never = law.TRAINEE_NEVER if held.code == "trainee" else frozenset()
                theirs = frozenset({"MASKED", "PROT"} if held.code == "trainee" else {"PROT"})  # rows 25 and 26b
                reads, writes = right.reads - never, right.writes - never
                yield Right(reads - theirs, writes - theirs, right.whose, "deleg")
                if right.whose[0] == "author":  # what they write in their own name
                    yield Right(reads, writes, ("author", held.person), "deleg")

    def _of_office(self, facts: list[Fact], held: Held) -> Iterator[tuple[str, str]]:
        """All of a record in which someone or a structure of theirs is named; else what was done in one."""
        if held.organization in self.mandated:
            yield "", ""
            return
        parts = [ref for ref in self.versions if ref.startswith("Organization/")]
        ours = {ref for ref in parts if held.organization in self.structures(ref)}
        staff = {name for one in self.held() if one.organization in ours for name in (one.ref, one.person)}
        if any(fact.who in ours | staff for fact in facts):
            yield "", ""
        yield from (("service", ref) for ref in ours)

    # ---- entries ----

    def sees(self, held: Held, version: Version) -> bool:
        """Whether the rights that apply to the version cover each of its classes."""
        return not version.patient or self.classes(version) <= self._allowed(held, version, "reads")

    def writes(self, held: Held, version: Version) -> bool:
        return self.classes(version) <= self._allowed(held, version, "writes")

    def classes(self, version: Version) -> frozenset[str]:
        """What is masked is so in each of its versions, and so is what tells of it."""
        masks = {fact.who for fact in self.facts(version.patient) if fact.relation == "mask"}
        return version.classes | ({"MASKED"} if masks and self._tells_of(version, masks) else set())

    def _tells_of(self, version: Version, masks: set[str]) -> bool:
        about = [self.versions[one][-1] for one in named_in(version.tree) if one in self.versions]
        return version.ref in masks or any(self._tells_of(one, masks) for one in about if one.ref != version.ref)

    def _allowed(self, held: Held, version: Version, what: str) -> set[str]:
        found: set[str] = set()
        for right in self.rights(version.patient, held):
            if not right.whose[0] or getattr(version, right.whose[0]) == right.whose[1]:
                found |= getattr(right, what)
        return found


PERSONS = ("patient", "guardian", "caregiver")


def held_by(tree: Tree) -> Held:
    acts_for = next((reference(one["valueReference"]) for one in tree.get("extension", ())), "")
    return Held(
        f"PractitionerRole/{tree['id']}",
        reference(tree["practitioner"]),
        reference(tree.get("organization")),
        tree["code"][0]["coding"][0]["code"],
        acts_for,
    )


def _whose(whose: str, held: Held) -> Iterator[tuple[str, str]]:
    if not whose:
        yield "", ""
    if whose == "own":
        yield "author", held.person
    if whose in ("addressed", "in-person"):
        yield "addressee", held.person
    if whose in ("addressed", "service") and held.organization:
        yield {"addressed": "addressee", "service": "service"}[whose], held.organization
