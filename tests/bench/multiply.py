"""The records of a base several times over, each time as other people's: other ids, numbers and names, the same care.

`liaison import` would validate and classify each copy again, which takes an hour. Here every row of a record is written
once more under a new patient's key: body, index rows, labels, facts and grants, as the store would have written them. What
is copied is the record as it is stored; the directory it refers to stays, because a territory that has fifty times as many
patients has not fifty times as many hospitals. Of each copy some versions are indexed anew and compared.
"""

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.fhir.definitions import type_of
from liaison.fhir.model import dump, read
from liaison.fhir.search.index import indexed
from liaison.fhir.store import identity, ids, rows
from liaison.fhir.store.contract import Key, Tree
from liaison.fhir.store.index_rows import IndexRows
from liaison.fhir.vault import PatientKey
from liaison.services.house import House

# Before a number there may be a letter: values of tokens begin with one.
_NAME: Final = re.compile(
    rb"((?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-]))"
)
_REFERENCE: Final = re.compile(rb"[A-Z][A-Za-z]+/[0-9a-f]{32}")
_CHECKED: Final = 3
"""Versions of each copied record that are indexed anew."""

_TABLES: Final[Mapping[str, Sequence[str]]] = {
    "version": ["patient", "kind", "res", "version", "at", "clinical", "deleted", "classes", "author", "service", "addressee", "sealed"],
    "index_token": ["patient", "kind", "param", "token", "res", "version", "clinical"],
    "index_date": ["patient", "kind", "param", "low", "high", "res", "version"],
    "identity_token": ["space", "token", "patient", "kind", "res"],
    "relation": ["patient", "principal", "relation", "source_kind", "source_res", "ordinal", "organization", "detail", "valid_from", "valid_to"],
    "access_grant": ["patient", "principal", "purpose", "mask", "write_mask", "author", "service", "addressee", "rule", "relation", "valid_from", "valid_to"],
}  # fmt: skip
Pieces = tuple[bytes, ...]
"""A text cut at the ids and numbers in it: every second piece is one."""


class _Version(NamedTuple):
    """A current version as it is copied: what is the same in each copy, and where its names are."""

    key: Key
    row: asyncpg.Record
    body: Pieces
    tokens: Sequence[tuple[int, Pieces]]
    dates: Sequence[tuple[Any, ...]]
    identifiers: Sequence[tuple[str, Pieces]]
    clinical: Any
    classes: int
    owners: tuple[str, str, str]


@dataclass(slots=True)
class _Record:
    """One patient's record, opened once."""

    versions: list[_Version]
    relations: list[asyncpg.Record]
    grants: list[tuple[asyncpg.Record, int, int, tuple[str, str, str]]]
    names: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """The id of each resource: its kind and res."""


async def multiply(house: House, scale: int, progress: Callable[[int], None] = lambda _: None) -> None:
    """Until there are `scale` records where there is one. What the base holds of the journal stays as it is."""
    patients = await house.database.reading.fetch("select patient from patient where state = 0 order by patient")
    records = [await _opened(house, patient) for (patient,) in patients]
    for copy in range(2, scale + 1):
        for record in records:
            await _write(house, record, copy)
        progress(copy)


def _cut(text: bytes) -> Pieces:
    return tuple(_NAME.split(text))


def _joined(pieces: Pieces, names: Mapping[bytes, bytes]) -> bytes:
    if len(pieces) == 1:
        return pieces[0]
    return b"".join(names[piece] if place % 2 else piece for place, piece in enumerate(pieces))


async def _opened(house: House, patient: int) -> _Record:
    one = house.database.reading
    key = (await house.vault.patient_keys(one, [patient]))[patient]
    found = await one.fetch(
        f"select {rows.COLUMNS}, null as evidence, v.clinical from version v"
        " where patient = $1 and superseded is null and not deleted",
        patient,
    )
    bodies = {row["res"]: rows.open_(key, rows.row_of(row)) for row in found}
    said = {named for body in bodies.values() for named in _REFERENCE.findall(body)}
    directory = await one.fetch("select kind, res from directory_version where superseded is null")
    said |= {house.store.reference(Key(0, *row)).encode() for row in directory}
    owners = {rows.owner_token(key, text.decode()): text.decode() for text in said} | {0: ""}
    record = _Record([], [], [])
    for row in found:
        tree = read(bodies[row["res"]])
        kept = indexed(type_of(row["kind"]), tree)
        assert not [link for link in kept.links if _elsewhere(house, patient, link)], "references to other patients"
        place = Key(*row[:3])
        record.names[house.store.id(place).encode()] = (place.kind, place.res)
        record.versions.append(
            _Version(
                place,
                row,
                _cut(bodies[place.res]),
                [(param, _cut(value)) for param, value in set(kept.tokens)],
                kept.dates,
                [(system, _cut(value.encode())) for system, value in identity.identifiers(tree)],
                kept.clinical,
                key.unpermute(row["classes"]),
                (owners[row["author"]], owners[row["service"]], owners[row["addressee"]]),
            )
        )
    record.relations = await one.fetch(
        f"select {', '.join(_TABLES['relation'])} from relation where patient = $1", patient
    )
    for row in await one.fetch(
        f"select {', '.join(_TABLES['access_grant'])} from access_grant where patient = $1", patient
    ):
        whose = (owners[row["author"]], owners[row["service"]], owners[row["addressee"]])
        record.grants.append((row, key.unpermute(row["mask"]), key.unpermute(row["write_mask"]), whose))
    return record


def _elsewhere(house: House, patient: int, link: tuple[int, str, str]) -> bool:
    target = house.store.key(*link[1:])
    return target is not None and target.patient not in (0, patient)


class _Names(dict[bytes, bytes]):
    """What each id and number of a record is called in a copy: ids of the record by its new key, numbers made anew."""

    def __init__(self, house: House, record: _Record, patient: int, copy: int) -> None:
        super().__init__()
        self.number = copy
        self.resources: dict[tuple[int, int], int] = {}
        for name, (kind, res) in record.names.items():
            self.resources[kind, res] = made = ids.new_resource()
            self[name] = house.store.id(Key(patient, kind, made)).encode()

    def __missing__(self, name: bytes) -> bytes:
        made = name  # of the directory
        if b"-" in name:
            made = b"%08x%b" % (int(name[:8], 16) ^ (self.number * 0x9E3779B1 & 0xFFFFFFFF), name[8:])
        self[name] = made
        return made


async def _write(house: House, record: _Record, copy: int) -> None:
    patient = house.store.new_patient()
    wrapped = house.vault.new_patient(patient)
    key = house.vault.cached(patient)
    assert key is not None
    names = _Names(house, record, patient, copy)
    out: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    known: dict[tuple[int, bytes], int] = {}
    checked = set(random.Random(copy).sample(range(len(record.versions)), min(_CHECKED, len(record.versions))))
    for number, version in enumerate(record.versions):
        _copy(house, key, version, names, known, out, check=number in checked)
        if number % 50 == 0:
            await asyncio.sleep(0)
    for row in record.relations:
        kind, res = row["source_kind"], row["source_res"]
        out["relation"].append((patient, *row[1:4], names.resources.get((kind, res), res), *row[5:]))
    for row, mask, write_mask, whose in record.grants:
        out["access_grant"].append(
            (patient, *row[1:3], key.permute(mask), key.permute(write_mask), *_owners(key, whose, names), *row[8:])
        )
    async with house.database.writing.acquire() as one, one.transaction():
        await one.execute("set local synchronous_commit = off")
        await one.execute("insert into patient (patient, shelf, wrapped) values ($1, $2, $3)", *wrapped)
        for table, columns in _TABLES.items():
            if out[table]:
                await one.copy_records_to_table(table, records=out[table], columns=columns)
    house.vault.forget(patient)


def _copy(
    house: House,
    key: PatientKey,
    version: _Version,
    names: _Names,
    known: dict[tuple[int, bytes], int],
    out: dict[str, list[tuple[Any, ...]]],
    *,
    check: bool,
) -> None:
    row, kind = version.row, version.key.kind
    res = names.resources[kind, version.key.res]
    body, identifiers = _joined(version.body, names), version.identifiers
    tree: Tree | None = None
    tokens = [(param, _joined(value, names)) for param, value in version.tokens]
    found = {(identity.IDENTIFIER, identity.identifier_token(house.vault, system, _joined(value, names).decode())) for system, value in identifiers}  # fmt: skip
    if type_of(kind) == "Patient":
        tree = _renamed(read(body), names.number)
        body = dump(tree)
        tokens = list(set(indexed("Patient", tree).tokens))
        found = set(identity.tokens(house.vault, tree))
    place = Key(key.patient, kind, res)
    number = row["version"]
    owners = _owners(key, version.owners, names)
    out["version"].append(
        (*place, number, row["at"], version.clinical, False, key.permute(version.classes), *owners, rows.seal(key, place, number, body))
    )  # fmt: skip
    made = []
    for pair in tokens:
        token = known.get(pair)
        if token is None:
            token = known[pair] = key.token(*pair)
        made.append((pair[0], token))
    out["index_token"] += [(key.patient, kind, param, token, res, number, version.clinical) for param, token in made]
    out["index_date"] += [(key.patient, kind, *dates, res, number) for dates in version.dates]
    out["identity_token"] += [(space, token, *place) for space, token in found]
    if check:
        _compare(house, key, body, made, version.dates, found)


def _owners(key: PatientKey, whose: Sequence[str], names: _Names) -> list[int]:
    """The tokens of author, service and addressee, as this record names them."""
    return [rows.owner_token(key, _joined(_cut(text.encode()), names).decode()) for text in whose]


def _renamed(tree: Tree, copy: int) -> Tree:
    """A Patient of another name and other numbers."""
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(copy))
    for name in tree["name"]:
        name["family"] += letters
    for number in tree.get("identifier", ()):
        number["value"] += f"-{copy}"
    return tree


def _compare(
    house: House, key: PatientKey, body: bytes, tokens: Sequence[tuple[int, int]], dates: Sequence[Any], found: set[Any]
) -> None:
    """That the store would have written the same index rows of this body."""
    tree = read(body)
    anew = IndexRows()
    anew.add(1, house.vault, key, tree, indexed(tree["resourceType"], tree), house.store.ids.decode)
    assert sorted((param, token) for _, param, token in anew.tokens) == sorted(tokens)
    assert sorted(one[1:] for one in anew.dates) == sorted(dates)
    assert {one[1:] for one in anew.identities} == found
