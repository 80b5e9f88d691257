"""CompartmentDefinition -> compartments.json: [compartment, [[type, [parameters]]…]], for the types that are in it."""

from pathlib import Path

from liaison.fhir.definitions.generate.source import VERSION, Source, compact, write_json


def write(source: Source, data: Path) -> None:
    found = {
        row["code"]: [[part["code"], part["param"]] for part in row["resource"] if part.get("param")]
        for row in source.entries("profiles-resources.json")
        if row["resourceType"] == "CompartmentDefinition" and row["version"] == VERSION
    }
    write_json(data / "compartments.json", [compact([code, rows]) for code, rows in sorted(found.items())])
