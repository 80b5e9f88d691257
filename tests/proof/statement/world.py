"""A base with resources of every type, made at random and referring to each other, all of one patient or the directory."""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from liaison.auth.access.classes import EVERYTHING, Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES, elements, kind_of, ownership, search_parameters
from liaison.fhir.store import Store, ids
from liaison.fhir.store.contract import Answer, Change, Key, Labels, Request, Tree, Unit
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.engine import Engine
from liaison.services.operation_definitions import DESCRIBED
from liaison.services.operations import OPERATIONS

from ...fhir.model.conftest import Maker

BASE = "https://liaison.test/fhir"
STORED = sorted(type_ for type_ in RESOURCE_TYPES if ownership(type_).rule != "never")
_DEFINING = frozenset({"url", "version", "status", "experimental", "publisher"})
"""The elements of R4's canonical resources (references.html#canonical)."""
_ALIKE: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "CapabilityStatement": {"format": (["json"], ["application/fhir+json"])},
    "MessageHeader": {"source": tuple({"name": one, "endpoint": f"https://liaison.test/{one}"} for one in "ab")},
    # An active one is used, and what is made up here could not be.
    "SearchParameter": {"status": ("draft", "retired"), "description": ("Asked for.", "No longer asked for.")},
}
"""What each resource of a type has, and which is made alike in all of them."""
EACH = 6
"""Resources of each type: five with most elements, and one with few, which belongs to another patient."""


class _Hooks:
    """Everything is CLIN and everyone may write: rights are tested elsewhere."""

    alone: frozenset[str] = frozenset({"Patient"})

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        return Labels(Class.CLIN if change.key.patient else Class.DIRECTORY)

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...
    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...


class _Journal:
    async def record(self, entries: tuple[Entry, ...]) -> None: ...
    async def refused_call(self, request: Request, status: int) -> None: ...


class World:
    """The resources as they were written, by type and id, and the engine that serves them."""

    def __init__(self, store: Store, patient: Key, caller: Caller, seed: int) -> None:
        self.store, self.patient, self.caller, self.seed = store, patient, caller, seed
        self.engine = Engine(store, _Journal(), BASE, OPERATIONS, {}, described=DESCRIBED)
        self.of_type: dict[str, dict[str, Tree]] = {}
        self._at = datetime(2026, 3, 1, tzinfo=UTC)
        self._keys: dict[str, list[Key]] = {}

    async def ask(self, method: str, path: str, body: Tree | None = None, /, **headers: str) -> Answer:
        where, _, query = path.partition("?")
        sent = b"" if body is None else model.dump(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.engine.handle(self.caller, Request(method, where, query, sent, named))

    def all(self) -> Iterator[Tree]:
        return itertools.chain.from_iterable(found.values() for found in self.of_type.values())

    async def fill(self) -> None:
        for type_ in ("Patient", *(type_ for type_ in STORED if type_ != "Patient")):
            self._keys[type_] = [self._key(type_, number) for number in range(EACH)]
        changes = []
        for type_ in STORED:
            self.of_type[type_] = {}
            for number, key in enumerate(self._keys[type_]):
                changes.append(self._change(type_, key, self.made(type_, number)))
        await self._write(changes)

    def made(self, type_: str, number: int) -> Tree:
        """One at random, the same each time; from EACH on it is of the one patient and has fewer elements than most."""
        maker = Maker(self.seed * 1000 + number)
        tree = maker.resource(type_, 0.15 if number == EACH - 1 else 0.95 if number < EACH else 0.7)
        tree |= {name: values[number % 2] for name, values in _ALIKE.get(type_, {}).items()}
        mark = {"system": "https://liaison.test/marks", "code": f"mark-{number}"}
        tree["meta"] = {
            **tree.get("meta", {}),
            "source": f"https://liaison.test/source/{number}",
            "security": [mark],
        }
        if elements(type_).keys() >= _DEFINING:
            tree |= {"url": _url(type_, number), "version": _version(number)}
        tree |= {name: _url("ValueSet", number) for name in ("sourceUri", "targetUri") if name in tree}
        _date(tree, number)
        self.refer(tree, maker, other=number == EACH - 1)
        return tree

    async def add(self, type_: str, number: int, tree: Tree) -> str:
        """One more of a type, which nothing refers to. Returns its id."""
        key = self._key(type_, number)
        await self._write([self._change(type_, key, tree)])
        if type_ == "Patient":
            await self.grant(self.store.id(key))
        return str(self.store.id(key))

    async def _write(self, changes: Sequence[Change]) -> None:
        async with self.store.database.writing.acquire() as connection, connection.transaction():
            await self.store.write(connection, self.caller, changes, {})

    def reference_to(self, type_: str, *, other: bool = False) -> str:
        """To the first resource of this type of the one patient, or to that of the other."""
        number = 0 if not other else 1 if type_ == "Patient" else EACH - 1
        return f"{type_}/{self.store.id(self._keys[type_][number])}"

    def unknown(self, type_: str) -> str:
        """An id that could have been made here and was not."""
        return str(self.store.id(self._key(type_, 1)))

    async def grant(self, id_: str) -> None:
        """Lets the caller see and change everything of a patient."""
        key = self.store.key("Patient", id_)
        assert key is not None
        writing = self.store.database.writing
        keys = await self.store.vault.patient_keys(writing, [key.patient])
        await writing.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from,"
            " valid_to) values ($1, 1, 1, $2, $2, 2, 3, now() - interval '1 day', now() + interval '1 day')",
            key.patient,
            keys[key.patient].permute(EVERYTHING),
        )

    def refer(self, tree: Tree, maker: Maker, *, other: bool = False) -> None:
        """Makes the references of a made-up resource lead to what is here, of the one patient or of the other."""
        self._refer(tree, maker, other=other)
        _name(tree, tree["resourceType"], tree["resourceType"], maker)
        own(tree, lambda type_: self.reference_to(type_, other=other))

    def _key(self, type_: str, number: int) -> Key:
        if type_ == "Patient":
            return self.patient if number == 0 else self.store.new_key(ids.new_patient(), kind_of("Patient"))
        if ownership(type_).rule == "directory":
            return self.store.new_key(0, kind_of(type_))
        owner = self._keys["Patient"][1] if number == EACH - 1 else self.patient
        return self.store.new_key(owner.patient, kind_of(type_))

    def _refer(self, node: Any, maker: Maker, *, other: bool) -> None:
        """What Maker's references name becomes a resource of that type here."""
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self._refer(child, maker, other=other)
        if isinstance(node, dict) and isinstance(node.get("reference"), str):
            type_ = node["reference"].partition("/")[0]
            if type_ in self._keys:
                one = self.reference_to(type_, other=other)
                alike = [f"{type_}/{self.store.id(key)}" for key in self._keys[type_][: EACH - 1]]
                node["reference"] = one if other or type_ == "Patient" else maker.random.choice(alike)

    def _change(self, type_: str, key: Key, tree: Tree) -> Change:
        self._at += timedelta(milliseconds=1500)
        id_ = self.store.id(key)
        meta = {**tree.get("meta", {}), "versionId": "1", "lastUpdated": f"{self._at:%Y-%m-%dT%H:%M:%S}.{500:03}Z"}
        made = {"resourceType": type_, "id": id_, "meta": meta} | {
            name: value for name, value in tree.items() if name not in ("resourceType", "id", "meta")
        }
        self.of_type[type_][id_] = made
        at = datetime.fromisoformat(meta["lastUpdated"])
        change = Change("create", key, type_, 1, made, body=model.dump(made), at=at)
        change.new_patient = type_ == "Patient"
        return change


def _date(node: Any, number: int) -> None:
    """Makes the periods of a made-up resource begin in a year of its own."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _date(child, number)
    if isinstance(node, dict) and node.keys() == {"start", "end"}:
        node["start"] = f"{2018 + number}-01-01"


def _url(type_: str, number: int) -> str:
    """Two versions of each definition have one URL."""
    return f"https://liaison.test/{type_}/{number // 2}"


def _version(number: int) -> str:
    return f"1.{9 + number}"


def _name(node: Tree, type_: str, root: str, maker: Maker) -> None:
    """Makes the canonicals of a made-up resource name definitions that are here: in a version, in none, or in one that
    is not."""
    for element in elements(type_).values():
        for kind in element.types:
            key = element.name + kind.suffix if element.choice else element.name
            values = node.get(key, [])
            inner = [one for one in (values if isinstance(values, list) else [values]) if isinstance(one, dict)]
            if kind.code != "canonical":
                for one in inner if kind.code not in ("Extension", "Resource") else ():
                    _name(one, kind.code, root, maker)
            elif values:
                some = [_canonical(root, element.name, maker) for _ in values] if isinstance(values, list) else []
                node[key] = some or _canonical(root, element.name, maker)


def _canonical(root: str, name: str, maker: Maker) -> str:
    """To a definition to which a parameter that looks at the element may lead."""
    led = {
        target
        for parameter in search_parameters(root).values()
        if parameter.type == "reference" and f".{name}" in parameter.expression
        for target in parameter.target
    }
    known = sorted(one for one in led & set(STORED) if elements(one).keys() >= _DEFINING) or ["Questionnaire"]
    type_, number = maker.random.choice(known), maker.random.randrange(EACH)
    return _url(type_, number) + maker.random.choice(("", "", f"|{_version(number)}", f"|{_version(number)}", "|7"))


def own(tree: Tree, reference_to: Any) -> None:
    """Makes the element that says whose a resource is lead to the patient."""
    owner = ownership(tree["resourceType"])
    if not owner.path:
        return
    found = list(owner.references(tree))
    if not found:
        _put(tree, tree["resourceType"], owner.path.split("."))
        found = list(owner.references(tree))
    for reference in found[:1]:
        allowed = _targets(tree["resourceType"], owner.path.split("."))
        reference.clear()
        reference["reference"] = reference_to("Patient" if not allowed or "Patient" in allowed else allowed[0])


def _put(node: Tree, type_: str, steps: list[str]) -> None:
    element = elements(type_)[steps[0]]
    inner: Tree = {}
    made = node.setdefault(steps[0], inner if element.maximum == 1 else [inner])
    if len(steps) > 1:
        _put(made[0] if isinstance(made, list) else made, element.types[0].code, steps[1:])


def _targets(type_: str, steps: list[str]) -> tuple[str, ...]:
    element = elements(type_)[steps[0]]
    return element.types[0].targets if len(steps) == 1 else _targets(element.types[0].code, steps[1:])


@asynccontextmanager
async def opened(database: Database, folder: Path, seed: int) -> AsyncIterator[World]:
    """A world on this base, and a caller who may do everything with it."""
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(folder / "key"))
    async with Store(database, vault, Filter(), _Hooks()) as store:
        await database.writing.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values (1, array[1], 1, 'gp', now() + interval '1 day')"
        )
        caller = Caller(1, read_scopes("user/*.cruds"), 1, "gp", practitioner=1)
        patient = store.new_key(ids.new_patient(), kind_of("Patient"))
        world = World(store, patient, caller, seed)
        await world.fill()
        for id_ in world.of_type["Patient"]:
            await world.grant(id_)
        yield world
