"""SearchParameter -> parameters.json: [number, id, code, type, bases, expression, targets, components]."""

from pathlib import Path

from liaison.fhir.definitions.generate.numbers import keep
from liaison.fhir.definitions.generate.source import VERSION, Source, compact, write_json

# R4 has the two components of this one the wrong way round: the token parameter typed by the reference element and the
# other way about.
_COMPONENTS = {
    "DocumentReference-relationship": [
        ["DocumentReference-relation", "code"],
        ["DocumentReference-relatesto", "target"],
    ]
}


def write(source: Source, data: Path) -> None:
    rows = [row for row in source.entries("search-parameters.json") if row["version"] == VERSION]
    path = data / "parameters.json"
    numbers = keep(path, [row["id"] for row in rows])
    lines = []
    for row in sorted(rows, key=lambda row: numbers[row["id"]]):
        components = _COMPONENTS.get(row["id"]) or [
            [part["definition"].rpartition("/")[2], part["expression"]] for part in row.get("component", ())
        ]
        lines.append(
            compact(
                [
                    numbers[row["id"]],
                    row["id"],
                    row["code"],
                    row["type"],
                    row["base"],
                    row.get("expression", ""),
                    row.get("target", []),
                    components,
                ]
            )
        )
    write_json(path, lines)
