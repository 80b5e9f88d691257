"""The whole territory: the directory's bundle, then one bundle a patient, and who and what to look for in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from liaison.services.sandbox.territory import identity, professionals, rights
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.organizations import add_structures
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.sessions import add_session
from liaison.services.sandbox.territory.shapes import Tree
from liaison.services.sandbox.territory.stories import bpco, ordinary, others
from liaison.services.sandbox.territory.stories.story import Story, write

Size = Literal["small", "large"]
PATIENTS: Final = {"small": 60, "large": 1200}
SEED: Final = 560


@dataclass(frozen=True, slots=True)
class Person:
    """Who can sign in: a professional, a patient, or a relative who represents one. `subject` and `role` are urn:uuids of
    the Practitioner, Patient or RelatedPerson, and of the PractitionerRole ('' for a patient)."""

    key: str
    name: str
    role_code: str
    role_name: str
    organization: str
    organization_name: str
    kind: str
    subject: str
    role: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient by key: their urn:uuid, the transaction of their record, the team, the home aides who come by a tour, and what
    is special."""

    key: str
    name: str
    urn: str
    team: tuple[str, ...]
    tour: tuple[str, ...]
    special: str
    identity: Tree
    bundle: Tree


@dataclass(frozen=True, slots=True)
class Territory:
    """`directory` holds no patient; each patient's bundle refers to it and to nothing else outside itself."""

    clock: Clock
    directory: Draft
    people: tuple[Person, ...]
    stories: tuple[Story, ...]
    seed: int

    def patients(self) -> Iterator[Patient]:
        """Written one by one, so that a large territory never stands in memory whole."""
        for rank, story in enumerate(self.stories):
            record = write(story, self.seed, rank, self.clock, self.directory)
            stated = identity.stated(record.draft.tree("patient"))
            yield Patient(
                story.key,
                record.person.name,
                record.patient,
                story.people,
                _tour(record, self.directory),
                story.special,
                stated,
                record.draft.bundle(),
            )


ACCOUNTS: Final = (
    ("patient_a", "patient_a"),
    ("patient_b", "patient_b"),
    ("guardian", "guarded"),
    ("caregiver", "bpco_04"),
)
"""Keys of people who are no professionals, and the story in which they are."""
_CLOSE: Final = {"guardian": ("guardian", "Tuteur"), "caregiver": ("relative", "Aidant")}
"""Of those close to a patient: where they stand in the record, and what they are called."""


def build(clock: Clock, size: Size = "small", seed: int = SEED) -> Territory:
    """The territory of that moment. The same arguments give the same trees, urn:uuids included."""
    directory = Draft(f"{seed}/directory")
    add_structures(directory, clock)
    professionals.add_professionals(directory, clock)
    add_session(directory, clock)
    special = (*bpco.STORIES, *others.STORIES)
    stories = (*special, *ordinary.stories(seed, PATIENTS[size] - len(special), len(special) + 1))
    people = (*_staff(directory), *_patients(stories, seed, clock, directory))
    return Territory(clock, directory, people, stories, seed)


def _tour(record: Record, directory: Draft) -> tuple[str, ...]:
    """Not named in the care team: their service is."""
    expected = {
        member["actor"]["reference"]
        for appointment in record.draft.resources("Appointment")
        for member in appointment["participant"]
    }
    return tuple(
        person.key
        for person in professionals.PROFESSIONALS
        if person.role == "home-aide" and directory[person.key] in expected
    )


def _staff(directory: Draft) -> Iterator[Person]:
    for person in professionals.PROFESSIONALS:
        yield Person(
            person.key,
            person.name,
            person.role,
            rights.role_name(person.role, person.gender),
            directory[person.organization],
            str(directory.tree(person.organization)["name"]),
            "Practitioner",
            directory[f"person/{person.key}"],
            directory[person.key],
        )


def _patients(stories: tuple[Story, ...], seed: int, clock: Clock, directory: Draft) -> Iterator[Person]:
    for key, story_key in ACCOUNTS:
        rank, story = next((rank, story) for rank, story in enumerate(stories) if story.key == story_key)
        record = write(story, seed, rank, clock, directory)
        if key in _CLOSE:
            entry, role = _CLOSE[key]
            tree = record.draft.tree(entry)
            name = f"{tree['name'][0]['given'][0]} {tree['name'][0]['family']}"
            yield Person(key, name, key, role, "", "", "RelatedPerson", record.draft[entry], "")
        else:
            yield Person(key, record.person.name, "patient", "Patient", "", "", "Patient", record.patient, "")
