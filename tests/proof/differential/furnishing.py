"""What gives every type of parameter and every modifier something to look at: code systems and value sets, places and parts of
wholes, and entries with numbers, components, identifiers of a type, results and lists.

`directory` and `entries` are plain resources, as those of worlds.py, whose references they take.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from ..reference.meant import code_systems, value_sets

Tree = dict[str, Any]

ACTS = "http://codes.example/acts"
CODES = [f"c{number:02}" for number in range(20)]
UNITS = "http://unitsofmeasure.org"
LOINC, ICD = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
PAUSED: Tree = {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/alert-closing", "code": "hospitalised"}]}
OTHERS = [("http://loinc.org", "29463-7"), ("http://loinc.org", "2345-7"), ("http://hl7.org/fhir/sid/icd-10", "I10")]


def directory(chance: random.Random) -> Iterator[tuple[str, Tree]]:
    """Under names."""
    used = [(ACTS, code) for code in CODES]
    systems = code_systems(used, chance)
    for number, one in enumerate([*systems, *value_sets(systems, [*used, *OTHERS], chance)]):
        yield f"terms-{number}", one
    for number in range(6):
        place: Tree = {
            "resourceType": "Location",
            "name": f"Lieu {number}",
            "position": {
                "latitude": round(chance.uniform(47.4, 48.2), 4),
                "longitude": round(chance.uniform(-3.6, -2.4), 4),
            },
            "managingOrganization": {"reference": f"urn:uuid:{chance.choice(['ward', 'hospital', 'homecare'])}"},
        }
        if number and chance.random() < 0.7:
            place["partOf"] = {"reference": f"urn:uuid:place-{chance.randrange(number)}"}
        yield f"place-{number}", place


def entries(chance: random.Random, subject: Tree, author: Tree | None, day: str) -> list[Callable[[], Tree]]:
    """Each makes one small valid entry of this author."""

    def act() -> Tree:
        code = chance.choice(CODES)
        return {"coding": [{"system": ACTS, "code": code, "display": f"Acte {code} à domicile"}]}

    def amount() -> Tree:
        code, most = chance.choice([("kg", 90), ("g", 90_000), ("mm[Hg]", 180)])
        return {"value": chance.randint(1, most), "unit": code, "system": UNITS, "code": code}

    def by(element: str, *, several: bool = False) -> Tree:
        return {} if author is None else {element: [author] if several else author}

    def named() -> Tree:
        """An identifier of a type, which others of its number have not."""
        kind = {"coding": [{"system": KINDS, "code": chance.choice(["FILL", "PLAC"])}]}
        return {"type": kind, "system": "urn:numbers", "value": f"N{chance.randint(1, 4)}"}

    def observation(**more: Any) -> Tree:
        category = {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]
        }
        made = {"resourceType": "Observation", "status": "final", "subject": subject, "category": [category]}
        return {**made, "code": act(), "effectiveDateTime": day, **by("performer", several=True), **more}

    def component() -> Tree:
        value = {"valueQuantity": amount()} if chance.random() < 0.6 else {"valueCodeableConcept": act()}
        return {"code": act(), **value}

    return [
        lambda: observation(valueQuantity=amount(), identifier=[named(), named()]),
        lambda: observation(valueCodeableConcept=act(), device={"identifier": named()}),
        lambda: observation(component=[component() for _ in range(chance.randint(1, 3))]),
        lambda: {
            "resourceType": "Condition", "subject": subject, "code": act(), "recordedDate": day,
            "identifier": [named()], **by("recorder"),
        },
        lambda: {
            "resourceType": "RiskAssessment", "status": "final", "subject": subject, "occurrenceDateTime": day,
            "prediction": [{"probabilityDecimal": chance.choice([0.1, 0.15, 0.25, 0.9, 1])} for _ in range(2)],
            **by("performer"),
        },
        lambda: {
            "resourceType": "DiagnosticReport", "status": "final", "subject": subject, "code": act(),
            "effectiveDateTime": day, **by("performer", several=True),
        },
        lambda: {
            "resourceType": "List", "status": "current", "mode": "changes", "subject": subject, "date": day,
            **by("source"),
        },
    ]  # fmt: skip


def hold(chance: random.Random, tree: Tree) -> None:
    """Puts into an entry what is not seen from its type and its codes: another one, or a code in an odd place."""

    def inner(system: str, code: str, **more: Any) -> Tree:
        return {"resourceType": "Observation", "id": "held", "status": "final", "code": _coded(system, code), **more}

    held = chance.choice([
        inner(LOINC, "72514-3"), inner(ICD, "B24"), inner(ICD, "F20"),
        inner(LOINC, "2345-7", category=[_coded(CATEGORY, "laboratory")]),
        inner(LOINC, "8867-4", category=[_coded(CATEGORY, "vital-signs")]),
        inner(LOINC, "72514-3", component=[{"code": {"text": "x"}, "valueCodeableConcept": _coded(ICD, "B24")}]),
        {"resourceType": "Organization", "id": "held", "name": "Cabinet"},
        _coded(ICD, "B24"), _coded(ICD, "F20"), _coded(ICD, "J44"),
    ])  # fmt: skip
    value = {"valueReference": {"reference": "#held"}} if "id" in held else {"valueCodeableConcept": held}
    tree["extension"] = [{"url": "urn:held", **value}]
    if "id" in held:
        tree["contained"] = [held]


def _coded(system: str, code: str) -> Tree:
    return {"coding": [{"system": system, "code": code}]}
