"""Resources to test with: the given sample data when LIAISON_SAMPLE_DATA names it, and random ones of every type."""

import gzip
import json
import os
import random
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.definitions import PRIMITIVES, Element, elements, required_codes
from liaison.fhir.model import Number

Tree = dict[str, Any]

_PRIMITIVE: dict[str, list[Any]] = {
    "base64Binary": ["SGVsbG8=", "QUJD"],
    "boolean": [True, False],
    "canonical": ["http://example.org/fhir/Library/a|1.0", "Questionnaire/q1", "http://example.org/x"],
    "code": ["a-code", "two words"],
    "date": ["2024", "2024-02", "2024-02-29"],
    "dateTime": ["2023", "2023-05-06T07:08:09+02:00", "2023-05-06", "2023-05-06T07:08:09.123Z"],
    "decimal": [Number("72.50"), 3, Number("0.000000100"), -4],
    "id": ["a-1.B"],
    "instant": ["2022-01-02T03:04:05Z", "2022-01-02T03:04:05.678-05:00"],
    "integer": [0, -3, 2147483647],
    "markdown": ["*some* text\n\nmore"],
    "oid": ["urn:oid:1.2.250.1.213"],
    "positiveInt": [1, 7],
    "string": ["Élise", "a b", "x"],
    "time": ["10:11:12", "23:59:59.5"],
    "unsignedInt": [0, 12],
    "uri": ["http://example.org/a", "urn:oid:1.2.3", "urn:uuid:6f1b2d2c-5a6b-4d1e-9a11-0a4f7a9a1b2c"],
    "url": ["https://example.org/b"],
    "uuid": ["urn:uuid:6f1b2d2c-5a6b-4d1e-9a11-0a4f7a9a1b2c"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'],
}
_OPEN = {
    "http://hl7.org/fhir/ValueSet/currencies": "EUR",
    "http://hl7.org/fhir/ValueSet/mimetypes": "text/plain",
    "http://hl7.org/fhir/ValueSet/ucum-units": "mL",
}
# Left out of what is made up: an Extension holds anything, and so would never end; contained resources need referrers.
_SKIPPED = {"extension", "modifierExtension", "contained"}


class Maker:
    """Makes resources that R4's structures allow. Invariants between elements are not looked after."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def resource(self, type_: str, chance: float = 0.5) -> Tree:
        return {"resourceType": type_, **self.complex(type_, chance, 0)}

    def complex(self, type_: str, chance: float, depth: int) -> Tree:
        made: Tree = {}
        for element in elements(type_).values():
            wanted = element.minimum or self.random.random() < chance / (1 + depth)
            if element.name in _SKIPPED or not wanted or (depth > 5 and not element.minimum):
                continue
            kind = self.random.choice(element.types)
            if kind.code == "Resource":
                continue
            key = element.name + kind.suffix if element.choice else element.name
            count = 1 if element.maximum == 1 else max(element.minimum, self.random.choice([1, 1, 2]))
            values = [self.value(element, kind.code, kind.targets, chance, depth) for _ in range(count)]
            made[key] = values[0] if element.maximum == 1 else values
        if not made:
            made = {"id": "e1"} if "id" in elements(type_) else {}
        if type_ in ("Extension",):
            made = {"url": "http://example.org/e", "valueString": "x"}
        return made

    def value(self, element: Element, code: str, targets: tuple[str, ...], chance: float, depth: int) -> Any:
        listed = required_codes(element.binding) if element.binding else None
        if element.binding in _OPEN:
            system, chosen = "http://example.org/s", _OPEN[element.binding]
        elif listed:
            system = self.random.choice(sorted(listed))
            chosen = self.random.choice(sorted(listed[system]))
        else:
            system, chosen = "http://example.org/s", self.random.choice(["a", "b-c"])
        if code == "code":
            return chosen
        if code in ("Coding", "CodeableConcept") and (element.binding or self.random.random() < 0.8):
            coding = {"system": system, "code": chosen, "display": "Shown"}
            return coding if code == "Coding" else {"coding": [coding], "text": "Text"}
        if code == "Reference":
            target = self.random.choice(targets or ("Patient", "Observation"))
            return {"reference": f"{target}/{self.random.randint(1, 99)}"}
        if code == "Period":
            return {"start": "2024-01-01", "end": "2024-03"}
        if code in PRIMITIVES:
            return self.random.choice(_PRIMITIVE[code])
        if code == "Extension":
            return {"url": "http://example.org/e", "valueString": "x"}
        return self.complex(code, chance, depth + 1)


@pytest.fixture
def make() -> Callable[[int], Maker]:
    """`make(seed).resource(type)`: a random resource, the same for the same seed."""
    return Maker


@cache
def _sample(folder: Path) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for path in sorted(folder.rglob("*.json*")):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[str(path.relative_to(folder))] = json.loads(raw, parse_float=Number, parse_int=int)
    return found


@pytest.fixture(scope="session")
def sample_bundles() -> dict[str, Tree]:
    """Every file of the given sample data by its path, read by the standard library. Not to be changed."""
    folder = os.environ.get("LIAISON_SAMPLE_DATA")
    if not folder:
        pytest.skip("LIAISON_SAMPLE_DATA is not set: the given sample data is not read")
    found = _sample(Path(folder))
    assert len(found) == 22 + 38, f"{folder} does not hold the sample data"
    return found


@pytest.fixture(scope="session")
def sample_resources(sample_bundles: dict[str, Tree]) -> list[Tree]:
    """Each resource of the sample data, those in bundles one by one."""
    found: list[Tree] = []
    for tree in sample_bundles.values():
        inside = [entry["resource"] for entry in tree.get("entry", ()) if "resource" in entry]
        found += inside or [tree]
    return found


def plain(value: Any) -> Any:
    """Numbers as Decimals, so that readers of every kind compare equal."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value
