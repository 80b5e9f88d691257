"""HL7's definition files, read once."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"
VERSION = "4.0.1"

# Rows of a definitions folder that are not of R4: kept out, whoever put them there.
NOT_OF_R4 = frozenset({"SubscriptionStatus", "MetadataResource"})
ABSTRACT = frozenset({"Resource", "DomainResource"})

Row = dict[str, Any]


class Source:
    """The folder given on the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self, name: str) -> list[Row]:
        bundle = json.loads((self.folder / name).read_text("utf-8"))
        return [entry["resource"] for entry in bundle["entry"]]

    @cached_property
    def structures(self) -> dict[str, Row]:
        """Every StructureDefinition of a resource or data type, by its id."""
        rows = [*self.entries("profiles-types.json"), *self.entries("profiles-resources.json")]
        return {
            row["id"]: row
            for row in rows
            if row["resourceType"] == "StructureDefinition" and row["id"] not in NOT_OF_R4 and row["version"] == VERSION
        }

    @cached_property
    def resource_types(self) -> list[str]:
        return sorted(
            name for name, row in self.structures.items() if row["kind"] == "resource" and name not in ABSTRACT
        )


def write_json(path: Path, rows: list[str]) -> None:
    """One row a line, so that a change of one definition is a change of one line."""
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
