"""The constraints of every StructureDefinition -> invariants.json: [type, element, key, severity, text, expression]."""

from pathlib import Path

from liaison.fhir.definitions.generate import structures
from liaison.fhir.definitions.generate.source import Source, compact, write_json


def write(source: Source, data: Path) -> None:
    types = structures.rows(source)
    found: dict[tuple[str, str, str], str] = {}
    for structure in source.structures.values():
        if structure["kind"] == "primitive-type" or structure.get("derivation") == "constraint":
            continue
        for element in structure["differential"]["element"]:
            owner, name = element["path"], ""
            if owner not in types:
                owner, _, name = owner.rpartition(".")
            for row in element.get("constraint", ()):
                if row["key"] == "ele-1" and owner != "Element":  # repeated on a few elements, and always true of all
                    continue
                values = [owner, name.removesuffix("[x]"), row["key"], row["severity"], row["human"], row["expression"]]
                found[owner, name, row["key"]] = compact(values)
    write_json(data / "invariants.json", list(found.values()))
