"""Required bindings -> bindings.json: [value set, [[system, [codes]]…]]. The systems come in full, nested codes too."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from liaison.fhir.definitions.generate import structures
from liaison.fhir.definitions.generate.source import Row, Source, compact, write_json

# No definition here lists the codes of these; liaison.fhir.definitions.bindings says what is checked instead.
OPEN = frozenset(
    {
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    }
)


def _codes(concepts: Iterable[Row]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def write(source: Source, data: Path) -> None:
    rows = [*source.entries("valuesets.json"), *source.entries("v3-codesystems.json")]
    sets = {row["url"]: row for row in rows if row["resourceType"] == "ValueSet"}
    systems = {row["url"]: row for row in rows if row["resourceType"] == "CodeSystem"}
    wanted = sorted(
        {str(row[4]) for _, elements in structures.rows(source).values() for row in elements if len(row) > 4} - OPEN
    )
    lines = []
    for url in wanted:
        compose = sets[url]["compose"]
        if "exclude" in compose or any({"filter", "valueSet"} & set(part) for part in compose["include"]):
            raise ValueError(f"{url} is not a plain list of codes")
        expanded: dict[str, dict[str, None]] = {}
        for part in compose["include"]:
            codes = _codes(part.get("concept") or systems[part["system"]]["concept"])
            expanded.setdefault(part["system"], {}).update(dict.fromkeys(codes))
        lines.append(compact([url, [[system, list(codes)] for system, codes in expanded.items()]]))
    write_json(data / "bindings.json", lines)
