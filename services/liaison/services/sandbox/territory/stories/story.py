"""What is said about one patient before their record is written, and the writing of what all records share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from liaison.services.sandbox.territory import identity, systems
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.identity import Identity
from liaison.services.sandbox.territory.places import KERVANEC, LANVERZIC, SAINT_NINNOC, mobile
from liaison.services.sandbox.territory.professionals import BY_KEY
from liaison.services.sandbox.territory.record import consents, course, problems
from liaison.services.sandbox.territory.record.catalogue import PROBLEMS
from liaison.services.sandbox.territory.record.course import Body
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.record.team import Member, care_team, relative_member
from liaison.services.sandbox.territory.rights import PSYCHIATRY, SENSITIVE
from liaison.services.sandbox.territory.shapes import Tree, coding

HOME: Final = {"K": KERVANEC, "N": SAINT_NINNOC, "L": LANVERZIC}
_SITES: Final = {"gp": "site_kervanec", "gp_replaced": "site_saint_ninnoc"}
_LABELS: Final = {"schizophrenia": [PSYCHIATRY], "hiv": [SENSITIVE], "alcohol": [SENSITIVE]}
_RELATIVES: Final = {
    "daughter": ("DAU", "Fille", "female", "Hélène"),
    "son": ("SON", "Fils", "male", "Laurent"),
    "wife": ("SPS", "Conjointe", "female", "Jacqueline"),
    "husband": ("SPS", "Conjoint", "male", "Gilbert"),
    "neighbour": ("NBOR", "Voisine", "female", "Maryvonne"),
    "mother": ("MTH", "Mère", "female", "Isabelle"),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One patient. `team` are keys of people and structures; a Member gives dates or a basis of its own. `special` says,
    in French, what there is to see; `tell` writes it. `allergy` is a number of the catalogue, drawn otherwise."""

    key: str
    age: int
    sex: str
    commune: str
    attending: str
    team: tuple[str | Member, ...]
    problems: tuple[str, ...] = ()
    body: Body = field(default_factory=Body)
    nurse: str = ""
    given: str = ""
    family: str = ""
    used: str = ""
    relative: str = ""
    status: str = "QUAL"
    special: str = ""
    informed: bool = True
    allergy: int | None = None
    tell: Callable[[Record], None] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        first = Member(self.attending, -720)
        others = tuple(Member(entry, -690) if isinstance(entry, str) else entry for entry in self.team)
        return (first, *others)

    @property
    def people(self) -> tuple[str, ...]:
        """The keys of the people now on the team."""
        return tuple(
            member.key
            for member in self.members
            if member.key in BY_KEY and (member.until is None or member.until >= 0)
        )


def write(story: Story, seed: int, rank: int, clock: Clock, directory: Draft) -> Record:
    """The whole record of one patient."""
    person = _person(story, Random(f"{seed}/{story.key}/person"), rank, clock)
    record = Record(story.key, seed, clock, directory, person)
    record.open(
        identity.patient(
            person,
            record.who(story.attending),
            record.service_of(story.attending),
            clock.day(-700),
        )
    )
    team = care_team(record, story.members, story.attending, informed=story.informed)
    if story.relative:
        _relative(record, story, team, rank)
    if story.informed:
        by = "nurse" if "nurse" in story.people else story.attending
        consents.informed(record, clock.at(-690, 11), by)
    for name in story.problems:
        since = clock.day(-record.random.randint(800, 4200))
        author = (
            "psychiatrist"
            if name in ("schizophrenia", "depression") and "psychiatrist" in story.people
            else story.attending
        )
        problems.problem(record, name, since, author, _LABELS.get(name))
    allergy = story.allergy if story.allergy is not None else record.random.choice((None, None, None, 1, 2, 3, 4))
    if allergy is not None:
        problems.allergy(record, allergy, story.attending, clock.day(-1500))
    ordinary = tuple(name for name in story.problems if name not in _LABELS and PROBLEMS[name].remarks)
    course.live(record, story.body, ordinary, story.attending, story.nurse, _SITES.get(story.attending, ""))
    if story.tell is not None:
        story.tell(record)
    return record


def _person(story: Story, random: Random, rank: int, clock: Clock) -> Identity:
    person = identity.draw(random, clock, rank, age=story.age, sex=story.sex, commune=HOME[story.commune])
    if story.given:
        person = replace(person, given=(story.given, *person.given[1:]))
    if story.family:
        person = replace(person, family=story.family, used=story.used)
    return replace(person, status=story.status)


def _relative(record: Record, story: Story, team: str, rank: int) -> None:
    code, display, sex, given = _RELATIVES[story.relative]
    family = record.person.used or record.person.family
    urn = record.add(_related(record, family, given, sex, coding(systems.ROLE_CODE, code, display), rank), "relative")
    relative_member(record, team, urn, f"{given} {family} ({display.lower()})", -600)


def _related(record: Record, family: str, given: str, sex: str, link: Tree, rank: int) -> Tree:
    roles: tuple[Tree, ...] = (coding(systems.ROLE_CLASS, "ECON", "Personne à prévenir en cas d'urgence"),)
    if record.person.age(record.clock.today) > 70:
        roles = (*roles, coding(systems.ROLE_CLASS, "CAREGIVER", "Aidant"))
    tree = identity.relative(record.patient, family, given, sex, link, mobile(4000 + rank), roles, rank)
    tree.pop("patient")
    return tree
