"""Numbers once given are never changed: the store writes them in rows. New names are appended."""

import json
from collections.abc import Iterable
from pathlib import Path

from liaison.fhir.definitions.generate.source import Source, compact, write_json


def keep(path: Path, names: Iterable[str]) -> dict[str, int]:
    """The numbers of `names`: those that the file already gives, then the next free ones in the given order."""
    known = {name: number for number, name, *_ in json.loads(path.read_text("utf-8"))} if path.exists() else {}
    free = max(known.values(), default=0)
    for name in names:
        if name not in known:
            free += 1
            known[name] = free
    return known


def write_kinds(source: Source, data: Path) -> None:
    path = data / "kinds.json"
    numbers = keep(path, source.resource_types)
    write_json(path, [compact([number, name]) for name, number in sorted(numbers.items(), key=lambda item: item[1])])
