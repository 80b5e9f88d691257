"""The record being written: one patient, their transaction, and the people who may be named in it."""

from collections.abc import Iterable
from random import Random
from typing import Final

from liaison.services.sandbox.territory import professionals
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.identity import Identity
from liaison.services.sandbox.territory.professionals import BY_KEY
from liaison.services.sandbox.territory.shapes import Tree, ref

_SUBJECT: Final = {
    "AllergyIntolerance": "patient",
    "Immunization": "patient",
    "Consent": "patient",
    "RelatedPerson": "patient",
    "Coverage": "beneficiary",
    "Task": "for",
    "Appointment": "",
}


class Record:
    """Adds resources that belong to one patient; the seed of its randomness is the patient's own, so that changing one
    patient's story leaves the others as they were."""

    def __init__(self, key: str, seed: int, clock: Clock, directory: Draft, person: Identity) -> None:
        self.key = key
        self.clock = clock
        self.directory = directory
        self.person = person
        self.random = Random(f"{seed}/{key}")
        self.draft = Draft(f"{seed}/{key}")
        self.patient = ""

    def open(self, tree: Tree) -> str:
        """Adds the Patient itself; comes first."""
        self.patient = self.draft.add(tree, "patient")
        return self.patient

    def add(self, tree: Tree, key: str = "") -> str:
        """Adds a resource of this patient, with the reference that says so where its type has one."""
        name = _SUBJECT.get(tree["resourceType"], "subject")
        if name:
            tree = {"resourceType": tree["resourceType"], **tree, name: ref(self.patient)}
        return self.draft.add(tree, key)

    def who(self, key: str) -> Tree:
        """A Reference to a professional in their role, with the name to show."""
        return professionals.member(self.directory, key)

    def place(self, key: str, display: str = "") -> Tree:
        """A Reference to a structure or site."""
        return ref(self.directory[key], display or str(self.directory.tree(key)["name"]))

    def service_of(self, key: str) -> Tree:
        """The structure for which that professional works."""
        return self.place(BY_KEY[key].organization)

    def about(self, start: int, end: int, step: int, wobble: int = 4) -> Iterable[int]:
        """Day offsets from `start` to `end`, about every `step` days, as real appointments fall."""
        day = start
        while day <= end:
            yield min(day + self.random.randint(-wobble, wobble), end)
            day += step
