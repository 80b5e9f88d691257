"""Reading what is to be imported: files, folders, .gz, NDJSON, Bundles. One group at a time is in memory.

A group is what may refer to each other by fullUrl: a Bundle; the single-resource files of one folder; a run of NDJSON
lines. Files come in the order of their names; NDJSON files with what others refer to first.
"""

import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from liaison.fhir.definitions import DIRECTORY_TYPES
from liaison.fhir.errors import BadRequest, FhirError
from liaison.fhir.model import read
from liaison.fhir.store.contract import Tree

LINES_AT_ONCE: Final = 1000
_SUFFIXES: Final = (".json", ".ndjson", ".json.gz", ".ndjson.gz")
_UNPACKED: Final = frozenset({"transaction", "batch", "collection", "searchset", "history"})
"""Bundles that carry resources; a document or a message is a resource of its own."""

_FIRST: Final = ("Patient", "RelatedPerson", "Encounter")


class Unreadable(Exception):
    """A path that cannot be read at all: it stops the import. The text names it."""


@dataclass(slots=True)
class Item:
    """One resource to import, or the problem that keeps it from being read. `where` says which file, entry or line."""

    where: str
    tree: Tree | None
    full_url: str = ""
    none_exist: str = ""
    problem: FhirError | None = None

    @property
    def name(self) -> str:
        """What identifies it in its source: its fullUrl, else its type and id, else nothing."""
        return self.full_url or self.local_name

    @property
    def local_name(self) -> str:
        """'Type/id' as its source names it."""
        if self.tree is None or not isinstance(self.tree.get("id"), str):
            return ""
        return f"{self.tree.get('resourceType')}/{self.tree['id']}"


@dataclass(slots=True)
class Group:
    """`whole`: a transaction Bundle, which is stored whole or not at all."""

    name: str
    items: list[Item] = field(default_factory=list)
    whole: bool = False


def files(paths: Iterable[Path]) -> list[Path]:
    """Every file to read, in order. Raises Unreadable for a path that is not there or is of no known kind."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and file.name.endswith(_SUFFIXES))
            if not inside:
                raise Unreadable(f"{path} holds no .json, .ndjson or .gz file.")
            found += inside
        elif not path.is_file():
            raise Unreadable(f"{path} does not exist.")
        elif not path.name.endswith(_SUFFIXES):
            raise Unreadable(f"{path} is neither .json nor .ndjson, packed (.gz) or not.")
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _open(path: Path) -> io.BufferedIOBase:
    if path.name.endswith(".gz"):
        return gzip.open(path)
    return path.open("rb")


def _is_lines(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(".ndjson")


def groups(paths: Iterable[Path]) -> Iterator[Group]:
    """Reads the files one after the other. A file that is no resource gives a group whose item has the problem."""
    singles: list[Item] = []
    folder: Path | None = None
    listed = files(paths)
    for path in [file for file in listed if not _is_lines(file)]:
        if folder != path.parent and singles:
            yield Group(str(folder), singles)
            singles = []
        folder = path.parent
        try:
            with _open(path) as file:
                tree = read(file.read())
        except FhirError as error:
            yield Group(str(path), [Item(str(path), None, problem=error)])
            continue
        except (OSError, EOFError) as error:
            raise Unreadable(f"{path} cannot be read: {error}") from None
        if tree.get("resourceType") == "Bundle" and tree.get("type") in _UNPACKED:
            yield _bundle(path, tree)
        else:
            singles.append(Item(str(path), tree))
    if singles:
        yield Group(str(folder), singles)
    for path in sorted((file for file in listed if _is_lines(file)), key=_rank):
        yield from _lines(path)


def _bundle(path: Path, tree: Tree) -> Group:
    entries = tree.get("entry")
    group = Group(str(path), whole=tree.get("type") == "transaction")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        where = f"{path} Bundle.entry[{index}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            request = entry.get("request")
            none_exist = request.get("ifNoneExist", "") if isinstance(request, dict) else ""
            group.items.append(Item(where, resource, _text(entry.get("fullUrl")), _text(none_exist)))
    return group


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _rank(path: Path) -> tuple[int, str]:
    """Directory types first, then Patients, RelatedPersons and Encounters, then the rest."""
    with _open(path) as file:
        line = file.readline()
    try:
        type_ = read(line).get("resourceType")
    except FhirError:
        type_ = ""
    if type_ in DIRECTORY_TYPES:
        return 0, str(path)
    return (1 + _FIRST.index(type_) if type_ in _FIRST else 9), str(path)


def _lines(path: Path) -> Iterator[Group]:
    group = Group(str(path))
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                tree = read(line)
                if not isinstance(tree.get("resourceType"), str):
                    raise BadRequest("The line is not a resource.")
                group.items.append(Item(where, tree))
            except FhirError as error:
                group.items.append(Item(where, None, problem=error))
            if len(group.items) == LINES_AT_ONCE:
                yield group
                group = Group(str(path))
    if group.items:
        yield group
