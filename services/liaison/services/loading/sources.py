"""Reading what is to be imported: files, folders, .gz, NDJSON, Bundles. A few groups at a time are in memory.

A group is what may refer to each other by fullUrl: a Bundle; the single-resource files of one folder; a run of NDJSON
lines. Files come in the order of their names; NDJSON files with what others refer to first.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES
from liaison.fhir.errors import BadRequest, FhirError
from liaison.fhir.interactions import content
from liaison.fhir.interactions.links import Urns, links
from liaison.fhir.interactions.references import target
from liaison.fhir.model import dump, read, referring
from liaison.fhir.store.contract import Tree

LINES_AT_ONCE: Final = 1000
_SUFFIXES: Final = (".json", ".ndjson", ".json.gz", ".ndjson.gz")
UNPACKED: Final = frozenset({"transaction", "batch", "collection", "searchset", "history"})
"""Bundles that carry resources; a document or a message is a resource of its own."""

_FIRST: Final = ("Patient", "RelatedPerson", "Encounter")


class Unreadable(Exception):
    """A path that was given and holds nothing to read: it stops the import. The text names it."""


DAMAGED: Final = (OSError, EOFError, zlib.error)
"""What reading a file raises that may not be read, or is no whole .gz: it is refused, and the others are stored."""


@dataclass(slots=True)
class Item:
    """One resource to import, valid, or the problem that keeps it out. `where` says which file, entry or line.

    `digest` is that of the resource as it was read, before its narrative was cleaned; `referring` are its references,
    `texts` what they say; `linked` whether other uri elements (Attachment.url) hold a urn.
    """

    where: str
    tree: Tree | None
    full_url: str = ""
    none_exist: str = ""
    problem: FhirError | None = None
    digest: bytes = b""
    texts: frozenset[str] = frozenset()
    linked: bool = True
    referring: list[Tree] | None = None

    @property
    def local_texts(self) -> list[str]:
        """Those of its references that name a resource of its own source by type and id."""
        named = ((text, target(text, "")) for text in self.texts)
        return [text for text, found in named if found is not None and found.kind == "local"]

    @property
    def name(self) -> str:
        """What identifies it in its source: its fullUrl, else its type and id, else all that it says: what has no name and
        is the same to the letter is the same thing. '' for what could not be read."""
        content = f"sha256:{self.digest.hex()}" if self.digest else ""
        return self.full_url or self.local_name or content

    @property
    def local_name(self) -> str:
        """'Type/id' as its source names it."""
        if self.tree is None or not isinstance(self.tree.get("id"), str):
            return ""
        return f"{self.tree.get('resourceType')}/{self.tree['id']}"

    def check(self, types: Mapping[str, str]) -> None:
        """Validates the resource; notes its digest and its references."""
        if self.tree is None or self.problem is not None:
            return
        type_ = self.tree.get("resourceType")
        try:
            if type_ not in RESOURCE_TYPES:
                raise BadRequest("It is not a resource of FHIR R4.", "resourceType")
            body = dump(self.tree)
            self.digest = hashlib.sha256(body).digest()
            self.referring = referring(self.tree)
            content.checked_and_told(self.tree, type_, types=types, found=self.referring)
            texts = [reference["reference"] for reference in self.referring]
            self.texts = frozenset(texts)
            # Most resources have no urn but in their references: this is seen without looking at each element.
            elsewhere = body.count(b'"urn:') > sum(text.startswith("urn:") for text in texts) or b"href" in body
            self.linked = elsewhere and any(True for _ in links(self.tree, Urns()))
        except FhirError as error:
            self.problem = error


@dataclass(slots=True)
class Group:
    """`whole`: a transaction Bundle, which is stored whole or not at all. `single`: one resource of one file."""

    name: str
    items: list[Item] = field(default_factory=list)
    whole: bool = False
    single: bool = False


class Part(NamedTuple):
    """What one call of `read_part` reads: a file, or some lines of one. Small enough to be handed to another process.
    `damaged`: why what follows of its lines cannot be read."""

    path: Path
    first_line: int = 0
    lines: tuple[bytes, ...] = ()
    damaged: str = ""


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


def opened(path: Path) -> io.BufferedIOBase:
    """The file, unpacked."""
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")


def _is_lines(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(".ndjson")


def parts(paths: Iterable[Path]) -> Iterator[Part]:
    """All that is to be read, in order."""
    listed = files(paths)
    for path in listed:
        if not _is_lines(path):
            yield Part(path)
    for path in sorted((file for file in listed if _is_lines(file)), key=_rank):
        number = 1
        try:
            with opened(path) as file:
                while lines := tuple(islice(file, LINES_AT_ONCE)):
                    yield Part(path, number, lines)
                    number += len(lines)
        except DAMAGED as error:
            yield Part(path, number, damaged=str(error))


def _rank(path: Path) -> tuple[int, str]:
    """Directory types first, then Patients, RelatedPersons and Encounters, then the rest."""
    try:
        with opened(path) as file:
            type_ = read(file.readline()).get("resourceType")
    except (FhirError, *DAMAGED):
        type_ = ""  # Whatever is wrong is said when the file itself is read.
    if type_ in DIRECTORY_TYPES:
        return 0, str(path)
    return (1 + _FIRST.index(type_) if type_ in _FIRST else 9), str(path)


def read_part(part: Part) -> Group:
    """The resources of one part, each valid or with its problem; a file that cannot be read is one problem."""
    if part.damaged:
        return Group(str(part.path), [_damaged(f"{part.path}:{part.first_line}", part.damaged)])
    group = _of_lines(part) if part.lines else _of_file(part.path)
    types = {item.full_url: str(item.tree.get("resourceType")) for item in group.items if item.full_url and item.tree}
    for item in group.items:
        item.check(types)
    return group


def _of_file(path: Path) -> Group:
    try:
        with opened(path) as file:
            tree = read(file.read())
    except FhirError as error:
        return Group(str(path), [Item(str(path), None, problem=error)])
    except DAMAGED as error:
        return Group(str(path), [_damaged(str(path), str(error))])
    if tree.get("resourceType") == "Bundle" and tree.get("type") in UNPACKED:
        return _of_bundle(path, tree)
    return Group(str(path.parent), [Item(str(path), tree)], single=True)


def _damaged(where: str, why: str) -> Item:
    return Item(where, None, problem=BadRequest(f"It cannot be read from here on: {why}."))


def _of_bundle(path: Path, tree: Tree) -> Group:
    entries = tree.get("entry", [])
    group = Group(str(path), whole=tree.get("type") == "transaction")
    if not isinstance(entries, list):
        group.items.append(Item(str(path), None, problem=BadRequest("It is not a list.", "Bundle.entry")))
        return group
    for index, entry in enumerate(entries):
        where = f"{path} Bundle.entry[{index}]"
        entry = entry if isinstance(entry, dict) else {}
        request: Tree = entry["request"] if isinstance(entry.get("request"), dict) else {}
        if isinstance(entry.get("resource"), dict):
            none_exist = _text(request.get("ifNoneExist"))
            group.items.append(Item(where, entry["resource"], _text(entry.get("fullUrl")), none_exist))
        # What was answered, and that something was deleted in its source, is no resource to be stored.
        elif "resource" in entry or not ("response" in entry or _deletion(tree, request)):
            group.items.append(Item(where, None, problem=BadRequest("The entry holds no resource to be stored.")))
    if tree["type"] == "history":
        group.items.reverse()  # its newest state of each resource comes first, and is to be stored last
    return group


def _deletion(bundle: Tree, request: Tree) -> bool:
    return bundle["type"] == "history" and request.get("method") == "DELETE"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _of_lines(part: Part) -> Group:
    group = Group(str(part.path))
    for number, line in enumerate(part.lines, part.first_line):
        if line.strip():
            where = f"{part.path}:{number}"
            try:
                group.items.append(Item(where, read(line)))
            except FhirError as error:
                group.items.append(Item(where, None, problem=error))
    return group


def groups(paths: Iterable[Path]) -> Iterator[Group]:
    """All groups, in order."""
    return merged(map(read_part, parts(paths)))


def merged(found: Iterable[Group]) -> Iterator[Group]:
    """The same groups, but for the single resources of one folder, which are one."""
    singles: Group | None = None
    for group in found:
        if singles is not None and not (group.single and group.name == singles.name):
            yield singles
            singles = None
        if not group.single:
            yield group
        elif singles is None:
            singles = group
        else:
            singles.items += group.items
    if singles is not None:
        yield singles
