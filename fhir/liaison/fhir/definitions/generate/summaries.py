"""isSummary of every element -> summaries.json: [type, [elements]], for the types that flag any (choices without [x])."""

from pathlib import Path

from liaison.fhir.definitions.generate import structures
from liaison.fhir.definitions.generate.source import Source, compact, write_json


def write(source: Source, data: Path) -> None:
    found: dict[str, list[str]] = {}
    for structure in source.structures.values():
        if structure["kind"] == "primitive-type" or structure.get("derivation") == "constraint":
            continue
        for element in structure["differential"]["element"][1:]:
            if element.get("isSummary") and element["path"] not in structures.LATER:
                owner, _, name = element["path"].rpartition(".")
                found.setdefault(owner, []).append(name.removesuffix("[x]"))
    found["SimpleQuantity"] = [name for name in found["Quantity"] if name != "comparator"]
    write_json(data / "summaries.json", [compact([name, names]) for name, names in sorted(found.items())])
