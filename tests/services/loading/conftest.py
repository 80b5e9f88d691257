"""Bundles of the same shapes as the large public synthetic sets, made here, so that every loader test runs anywhere.

A batch of practitioners created conditionally; and for each patient a transaction whose entries refer to each other by
urn:uuid in any order, to practitioners by conditional references that match, and to organisations and locations by
conditional references that match nothing. Reports of all records carry one and the same identifier.
"""

import json
import os
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.vault import FileKeyProvider

from ..console import typed

Tree = dict[str, Any]
Run = Callable[..., tuple[int, Tree]]

NPI = "http://example.org/practitioners"
PLACES = "http://example.org/places"
PRACTITIONERS = 7


def _urn(random_: random.Random) -> str:
    return uuid.UUID(int=random_.getrandbits(128), version=4).urn


def _concept(system: str, code: str) -> Tree:
    return {"coding": [{"system": system, "code": code, "display": f"Code {code}"}], "text": f"Code {code}"}


def _entry(url: str, resource: Tree, **request: str) -> Tree:
    resource = {"resourceType": resource["resourceType"], "id": url[9:], **resource}
    return {
        "fullUrl": url,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }


def practitioners() -> Tree:
    """The batch that goes first."""
    random_ = random.Random("practitioners")
    entries = []
    for number in range(PRACTITIONERS):
        person = {
            "resourceType": "Practitioner",
            "identifier": [{"system": NPI, "value": str(number)}],
            "name": [{"family": f"Prat{number}", "given": ["Dominique"]}],
        }
        entries.append(_entry(_urn(random_), person, ifNoneExist=f"identifier={NPI}|{number}"))
        role = {
            "resourceType": "PractitionerRole",
            "practitioner": {"identifier": {"system": NPI, "value": str(number)}},
            "code": [_concept("http://example.org/roles", "general")],
        }
        entries.append(_entry(_urn(random_), role))
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


class _Record:
    """One patient's transaction, being made."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.entries: list[Tree] = []
        self.patient = self.add({"resourceType": "Patient", "name": [{"family": "Essai", "given": [seed]}],
                                 "gender": "female", "birthDate": "1950-01-02"})  # fmt: skip

    def add(self, resource: Tree) -> Tree:
        url = _urn(self.random)
        self.entries.append(_entry(url, resource))
        return {"reference": url}

    def subject(self) -> Tree:
        return {"subject": self.patient}

    def practitioner(self) -> Tree:
        return {"reference": f"Practitioner?identifier={NPI}|{self.random.randrange(PRACTITIONERS)}"}

    def moment(self) -> str:
        day = self.random.randrange(1, 28)
        return f"20{self.random.randrange(10, 26)}-{self.random.randrange(1, 13):02}-{day:02}T08:15:00+02:00"

    def visit(self) -> None:
        """One encounter and what came of it."""
        place = self.random.randrange(20)
        encounter = self.add(
            {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                **self.subject(),
                "participant": [{"individual": self.practitioner()}],
                "period": {"start": self.moment()},
                "location": [{"location": {"reference": f"Location?identifier={PLACES}|{place}", "display": "Lieu"}}],
                "serviceProvider": {"reference": f"Organization?identifier={PLACES}|{place}", "display": "Maison"},
            }
        )
        observations = [self.observation(encounter) for _ in range(self.random.randrange(4, 12))]
        self.add(
            {
                "resourceType": "DiagnosticReport",
                "identifier": [{"system": "http://example.org/groups", "value": "all of them"}],
                "status": "final",
                "code": _concept("http://loinc.org", "51990-0"),
                **self.subject(),
                "encounter": encounter,
                "effectiveDateTime": self.moment(),
                "performer": [{"reference": f"Organization?identifier={PLACES}|{place}"}],
                "result": observations,
            }
        )
        condition = self.add(
            {
                "resourceType": "Condition",
                "code": _concept("http://snomed.info/sct", "13645005"),
                **self.subject(),
                "encounter": encounter,
                "onsetDateTime": self.moment(),
            }
        )
        medication = self.add({"resourceType": "Medication", "code": _concept("http://example.org/drugs", "1")})
        self.add(
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "medicationReference": medication,
                **self.subject(),
                "encounter": encounter,
                "authoredOn": self.moment(),
                "requester": self.practitioner(),
                "reasonReference": [condition],
            }
        )
        self.add(
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": _concept("http://loinc.org", "34117-2"),
                **self.subject(),
                "date": self.moment(),
                "content": [{"attachment": {"contentType": "text/plain", "data": "Tm90ZQ=="}}],
                "context": {"encounter": [encounter]},
            }
        )

    def observation(self, encounter: Tree) -> Tree:
        value = f"{self.random.randrange(40, 180)}.{self.random.randrange(100):02}"
        return self.add(
            {
                "resourceType": "Observation",
                "status": "final",
                "category": [_concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
                "code": _concept("http://loinc.org", self.random.choice(["8867-4", "29463-7", "8310-5", "59408-5"])),
                **self.subject(),
                "encounter": encounter,
                "effectiveDateTime": self.moment(),
                "issued": self.moment(),
                "valueQuantity": {
                    "value": float(value),
                    "unit": "1",
                    "system": "http://unitsofmeasure.org",
                    "code": "1",
                },
            }
        )

    def bundle(self) -> Tree:
        targets = [{"reference": entry["fullUrl"]} for entry in self.entries]
        agent = [{"who": self.practitioner()}]
        self.add({"resourceType": "Provenance", "target": targets, "recorded": self.moment(), "agent": agent})
        self.random.shuffle(self.entries)
        return {"resourceType": "Bundle", "type": "transaction", "entry": self.entries}


def record(seed: str, entries: int) -> Tree:
    """One patient's transaction of about so many entries; the same seed gives the same one."""
    made = _Record(seed)
    while len(made.entries) < entries - 1:
        made.visit()
    return made.bundle()


@pytest.fixture(scope="session")
def practitioners_bundle() -> Tree:
    return practitioners()


@pytest.fixture(scope="session")
def record_bundle() -> Callable[[str, int], Tree]:
    return record


@pytest.fixture
def run(postgres: Any, database_url: str, tmp_path: Path) -> Run:
    """Runs the command on a fresh base; its exit code and its report."""
    FileKeyProvider.create(tmp_path / "key")
    settings = {"DATABASE_URL": database_url, "DATA": str(tmp_path / "data"), "KEY_FILE": str(tmp_path / "key")}

    def import_(*arguments: str | Path) -> tuple[int, Tree]:
        environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in settings.items()}}
        done = typed(environment, "import", "--json", *map(str, arguments))
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return import_
