"""SearchParameter -> parameters.json: [number, id, code, type, bases, expression, targets, components]."""

from pathlib import Path

from liaison.fhir.definitions.generate.numbers import keep
from liaison.fhir.definitions.generate.source import VERSION, Source, compact, write_json


def write(source: Source, data: Path) -> None:
    rows = [row for row in source.entries("search-parameters.json") if row["version"] == VERSION]
    path = data / "parameters.json"
    numbers = keep(path, [row["id"] for row in rows])
    lines = []
    for row in sorted(rows, key=lambda row: numbers[row["id"]]):
        components = [[part["definition"].rpartition("/")[2], part["expression"]] for part in row.get("component", ())]
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
