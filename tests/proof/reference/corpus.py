"""The given sample data as plain resources with ids of a store: the corpus of the reference evaluator.

Reads transaction bundles with the standard library, puts our ids and references in, and says whose each resource is.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.model import Number

Resource = dict[str, Any]

DIRECTORY = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location"})


def given(most: int) -> list[list[dict[str, Any]]]:
    """The directory's bundle, then the smallest patient bundles. Skips the test when LIAISON_SAMPLE_DATA names no data."""
    named = os.environ.get("LIAISON_SAMPLE_DATA")
    if not named:
        pytest.skip("LIAISON_SAMPLE_DATA is not set: nothing is compared on the given data")
    where = Path(named) / "synthea"
    files = sorted(where.glob("*.json.gz"), key=lambda path: (not path.name.startswith("0-"), path.stat().st_size))
    # Numbers keep their text as Decimal does; the evaluator reads them so, too.

    return [json.loads(gzip.decompress(path.read_bytes()), parse_float=Number)["entry"] for path in files[: most + 1]]


def french() -> list[list[dict[str, Any]]]:
    """The examples of French guides as such bundles: those of the directory, then each patient with what is about them.

    Without what is about nobody here, and what holds others in itself.
    """

    where = Path(os.environ["LIAISON_SAMPLE_DATA"]) / "fr-examples"
    read = [json.loads(path.read_bytes(), parse_float=Number) for path in sorted(where.glob("*/*.json"))]
    entries = [
        {"fullUrl": f"{one['resourceType']}/{one['id']}", "resource": one} for one in read if "contained" not in one
    ]
    bundles = [[one for one in entries if one["resource"]["resourceType"] in DIRECTORY]]
    for patient in (one for one in entries if one["resource"]["resourceType"] == "Patient"):
        about = [one for one in entries if _owner(one["resource"]) == patient["fullUrl"]]
        bundles.append([patient, *about])
    return bundles


def _owner(resource: Resource) -> str:
    about: dict[str, str] = resource.get("subject") or resource.get("patient") or {}
    return about.get("reference", "")


class Corpus:
    """Resources by id, and the owner of each: the id of a Patient, or '' for the directory.

    `new_id(type, owner)` makes ids; it is asked for Patients with owner '' first.
    """

    def __init__(self, new_id: Callable[[str, str], str]) -> None:
        self._new_id = new_id
        self._identified: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self.resources: dict[str, Resource] = {}
        self.owner: dict[str, str] = {}

    def add(self, entries: list[dict[str, Any]]) -> list[str]:
        """The ids of a bundle's resources, in its order, references among them resolved."""
        patient = ""
        ids, written = [], {}
        for entry in sorted(entries, key=lambda one: one["resource"]["resourceType"] != "Patient"):
            resource = entry["resource"]
            type_ = resource["resourceType"]
            owner = "" if type_ in DIRECTORY else patient
            id_ = self._new_id(type_, owner)
            if type_ == "Patient":
                owner = patient = id_
            self._named[entry["fullUrl"]] = f"{type_}/{id_}"
            for identifier in resource.get("identifier", ()) if type_ in DIRECTORY else ():
                self._identified[f"{type_}?identifier={identifier['system']}|{identifier['value']}"] = f"{type_}/{id_}"
            self.resources[id_] = resource | {"id": id_}
            self.owner[id_] = owner
            ids.append(id_)
            written[id_] = entry["fullUrl"]
        for id_ in ids:
            for reference in _references(self.resources[id_]):
                text = reference["reference"]
                reference["reference"] = self._named.get(text) or self._identified.get(text, text)
        for id_ in ids:
            _contain(self.resources[id_], _number(written[id_]))
            _fix(self.resources[id_], _number(written[id_]))
            _undate(self.resources[id_], _number(written[id_]))
            _measure(self.resources[id_], _number(written[id_]))
        return ids


def _fix(resource: Resource, number: int) -> None:
    """Some of the observations name the version of their encounter (references.html#literal): the first, which it is."""
    encounter = resource.get("encounter", {})
    if resource["resourceType"] == "Observation" and "/" in encounter.get("reference", "") and number % 5 == 0:
        encounter["reference"] += "/_history/1"


def _undate(resource: Resource, number: int) -> None:
    """Some have no value for the date they are mostly sorted by, and keep the other dates they have."""
    if number % 4 == 1:
        for name in ("onsetDateTime", "effectiveDateTime", "effectivePeriod"):
            resource.pop(name, None)
        if resource.pop("occurrenceDateTime", None):
            resource |= {"occurrenceString": "in childhood", "recorded": f"20{10 + number % 13}-05"}


def _measure(resource: Resource, number: int) -> None:
    """What the given data has none of: curves, ages, numbers of a register, patients that are active."""
    if resource["resourceType"] == "Observation" and number % 7 == 2 and "valueQuantity" in resource:
        unit = resource.pop("valueQuantity")
        value = float(unit.pop("value"))
        limits = {"lowerLimit": Number(f"{value:.1f}"), "upperLimit": Number(f"{value * 1.5 + 1:.1f}")}
        origin = unit | {"value": Number("0")}
        resource["valueSampledData"] = {"origin": origin, "period": Number("10"), "dimensions": Number("1"), **limits}
    if resource["resourceType"] == "Observation" and number % 7 == 3:
        resource["performer"] = [resource["subject"]]
        resource["identifier"] = [{"system": "http://numbers", "value": f"N{number % 40}"}]
    if resource["resourceType"] == "Condition" and number % 5 == 2:
        resource.pop("onsetDateTime", None)
        age = {"value": Number(f"{number % 90}"), "system": "http://unitsofmeasure.org", "code": "a", "unit": "ans"}
        resource["onsetAge"] = age
    if resource["resourceType"] == "Patient":
        resource["active"] = bool(number % 2)


def _number(named: str) -> int:
    """The same for the same resource each time, and like any other."""
    return int(hashlib.sha256(named.encode()).hexdigest()[:4], 16)


def _contain(resource: Resource, number: int) -> None:
    """Some of the resources as other software writes them: with what they refer to inside (references.html#contained)."""
    if resource["resourceType"] == "MedicationRequest" and number % 3 == 0 and "medicationCodeableConcept" in resource:
        code = resource.pop("medicationCodeableConcept")
        medicine: Resource = {"resourceType": "Medication", "id": "m", "code": code}
        if number % 2:
            medicine |= {"status": "active", "ingredient": [{"itemCodeableConcept": code}]}
        else:
            medicine |= {"manufacturer": {"reference": "#o"}, "batch": {"expirationDate": f"20{27 + number % 4}-03"}}
        resource["medicationReference"] = {"reference": "#m"}
        resource["contained"] = [medicine, {"resourceType": "Organization", "id": "o", "name": "Laboratoires du Nord"}]
    if resource["resourceType"] == "Encounter" and number % 2 == 0 and resource.get("participant"):
        doctor = {"resourceType": "Practitioner", "id": "d", "active": bool(number % 4)}
        doctor["name"] = [{"family": f"Inconnu{number % 5}", "given": ["Dominique"]}]
        resource["participant"].append({"individual": {"reference": "#d"}})
        resource["contained"] = [doctor]


def _references(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
