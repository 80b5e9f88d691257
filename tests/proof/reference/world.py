"""A store with the sample data and callers who see parts of it; what the engine says there, beside the reference."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import asyncpg
import orjson

from liaison.auth.access.classes import EVERYTHING, Class
from liaison.auth.access.filter import Filter
from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir import model
from liaison.fhir.definitions import kind_of
from liaison.fhir.search import search
from liaison.fhir.store import Store, ids
from liaison.fhir.store.contract import Change, Key, Labels, Tree, Unit
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

from . import corpus as sample
from .evaluator import Asked, Seen, in_order, matching, sort_keys

BASE = "https://liaison.test/fhir"
HIDDEN = frozenset({"Condition", "Observation"})


class Hooks:
    """One in seven of the types of `may_be_hidden` is of a class that no caller here may see: the same ones each time."""

    alone: frozenset[str] = frozenset()

    def __init__(self, may_be_hidden: frozenset[str] = HIDDEN) -> None:
        self.may_be_hidden = may_be_hidden
        self.hidden: set[str] = set()
        self._met: dict[str, int] = {}

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        tree = change.tree or {}
        may_be = change.key.patient and change.type_ in self.may_be_hidden
        if may_be and self._met.setdefault(tree["id"], len(self._met)) % 7 == 0:
            self.hidden.add(tree["id"])
            return Labels(Class.PSY)
        return Labels(Class.CLIN if change.key.patient else Class.DIRECTORY)

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...
    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None: ...


class World:
    """A store with the sample data, and callers who each see some of its patients."""

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self.store, self.hooks = store, hooks
        self.keys: dict[str, Key] = {}
        self.corpus = sample.Corpus(self._new_id)
        self.callers: dict[Caller, frozenset[str]] = {}
        self._at = datetime(2026, 1, 1, tzinfo=UTC)

    def _new_id(self, type_: str, owner: str) -> str:
        patient = ids.new_patient() if type_ == "Patient" else self.keys[owner].patient if owner else 0
        key = self.store.new_key(patient, kind_of(type_))
        id_ = self.store.id(key)
        self.keys[id_] = key
        return id_

    async def load(self, bundle: list[dict[str, Any]]) -> None:
        await self.store_all(self.corpus.add(bundle))

    def make(self, type_: str, owner: str = "", **content: Any) -> str:
        """One more resource of the corpus, still to be stored; its id."""
        id_ = self._new_id(type_, owner)
        self.corpus.resources[id_] = {"resourceType": type_, "id": id_, **content}
        self.corpus.owner[id_] = owner
        return id_

    async def store_all(self, ids_: Sequence[str]) -> None:
        changes = []
        for id_ in ids_:
            self._at += timedelta(milliseconds=1500)
            meta = {"versionId": "1", "lastUpdated": self._at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
            tree = self.corpus.resources[id_]
            tree["meta"] = tree.get("meta", {}) | meta
            change = Change("create", self.keys[id_], tree["resourceType"], 1, tree, body=model.dump(tree), at=self._at)
            change.new_patient = tree["resourceType"] == "Patient"
            changes.append(change)
        async with self.store.database.writing.acquire() as connection, connection.transaction():
            await self.store.write(connection, Caller(1, read_scopes("user/*.cruds"), 1, "gp"), changes, {})

    async def see(self, number: int, patients: Sequence[str]) -> None:
        """A caller with rights on these patients."""
        writing = self.store.database.writing
        await writing.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values ($1, $2, 1, 'gp', now() + interval '12 hours')",
            number,
            [number],
        )
        keys = await self.store.vault.patient_keys(writing, [self.keys[one].patient for one in patients])
        for patient, key in keys.items():
            await writing.execute(
                "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from,"
                " valid_to) values ($1, $2, 1, $3, 0, 2, 3, now() - interval '1 day', now() + interval '1 day')",
                patient,
                number,
                key.permute(EVERYTHING & ~Class.PSY),
            )
        self.know([(number, patients)])

    def know(self, callers: Iterable[tuple[int, Iterable[str]]]) -> None:
        """Callers who have their rights already."""
        for number, patients in callers:
            caller = Caller(number, read_scopes("user/*.rs"), 1, "gp", practitioner=number)
            self.callers[caller] = frozenset(patients)

    def visible(self, caller: Caller) -> list[sample.Resource]:
        """What a caller may see, said without SQL."""
        mine = self.callers[caller]
        return [
            tree
            for id_, tree in self.corpus.resources.items()
            if self.corpus.owner[id_] in mine | {""} and id_ not in self.hooks.hidden
        ]


@asynccontextmanager
async def opened(database: Database, tmp_path: Path, hooks: Hooks) -> AsyncIterator[World]:
    """Empty: no records, no callers."""
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))
    async with Store(database, vault, Filter(), hooks) as store:
        yield World(store, hooks)


async def loaded(database: Database, tmp_path: Path, most: int) -> AsyncIterator[World]:
    """With so many bundles of the given data, and callers who see all, some or none of the patients."""
    bundles = sample.given(most)
    async with opened(database, tmp_path, Hooks()) as world:
        for bundle in bundles:
            await world.load(bundle)
        patients = [id_ for id_, tree in world.corpus.resources.items() if tree["resourceType"] == "Patient"]
        await world.store_all(forms(world, patients))
        await world.see(1, patients)
        await world.see(2, patients[:1])
        await world.see(3, patients[1:])
        await world.see(4, [])
        yield world


def forms(world: World, patients: Sequence[str]) -> list[str]:
    """Questionnaires, and what these patients have answered, still to be stored."""
    return [*_forms(world), *(id_ for patient in patients for id_ in _answers(world, patient))]


FORM = "https://liaison.test/Questionnaire"


def _forms(world: World) -> list[str]:
    """Questionnaires in several versions, stored in no order; of one, two of the same version."""
    forms = (("pain", "1.10"), ("pain", "1.9"), ("falls", "2"), ("sleep", "1"), ("sleep", "1"))
    return [
        world.make(
            "Questionnaire",
            status="draft" if number == 1 else "active",
            url=f"{FORM}/{name}",
            version=version,
            title=f"{name} {number}",
        )
        for number, (name, version) in enumerate(forms)
    ]


ASKED = ("pain", "pain|1.9", "pain|7", "falls|2", "sleep", "sleep|1", "other", "pain|1.9#group-1")


def _answers(world: World, patient: str) -> list[str]:
    """Answers to what a canonical names: the latest, a version, and one that is not kept here."""
    return [
        world.make(
            "QuestionnaireResponse",
            patient,
            status="completed" if len(asked) % 2 else "in-progress",
            subject={"reference": f"Patient/{patient}"},
            authored=f"2026-0{number + 1}-05",
            questionnaire=f"{FORM}/{asked}",
        )
        for number, asked in enumerate(ASKED)
    ]


@dataclass(frozen=True)
class Way:
    """How an answer is asked for: the size of a page, `_total`, whether the pages are also read backwards, and whether only
    the number is wanted (by `_summary=count` or `_count=0`)."""

    count: int = 1000
    total: str = "accurate"
    back: bool = False
    only: str = ""

    def text(self) -> list[tuple[str, str]]:
        if self.only:
            return [parse_qsl(self.only)[0]]
        return [("_count", str(self.count)), *([("_total", self.total)] if self.total else [])]


async def compare(world: World, caller: Caller, asked: Asked, seen: Seen, way: Way) -> str:
    """The difference between the engine's pages and the reference, or ''."""
    expected = matching(seen, asked)
    read = await pages(world, caller, asked.type, urlencode([*asked.text(), *way.text()]), "next")
    found = [id_ for ids_, _, _ in read for id_ in ids_]
    totals = {total for _, total, _ in read}
    wanted = {one["id"] for one in expected}
    if way.only:
        return "" if (found, totals) == ([], {len(wanted)}) else f"found {found[:3]}, totals {totals} of {len(wanted)}"
    counted = {len(wanted)} if way.total in ("accurate", "estimate") else {len(wanted), None}
    if len(found) != len(set(found)) or set(found) != wanted or not totals <= counted:
        wrong, missing = len(set(found) - wanted), len(wanted - set(found))
        return f"found {len(found)} ({wrong} wrong, {missing} missing), totals {totals}"
    order = [sort_keys(seen, world.corpus.resources[id_], asked.sort) for id_ in found]
    if order != in_order(seen, expected, asked.sort):
        return "wrong order"
    if any(len(ids_) > way.count for ids_, _, _ in read):
        return "a page is too long"
    if way.back and len(read) > 1:
        back = await pages(world, caller, asked.type, read[-1][2], "previous")
        if [ids_ for ids_, _, _ in back] != [ids_ for ids_, _, _ in read[-2::-1]]:
            return "other pages on the way back"
    return ""


async def pages(
    world: World, caller: Caller, type_: str, query: str, relation: str, within: str = ""
) -> list[tuple[list[str], int | None, str]]:
    """Of each page from this query on, `next` or `previous`: the ids, the total, and the query of the page before."""
    found = []
    while query:
        bundle = orjson.loads((await search(world.store, caller, type_, query, base_url=BASE, compartment=within)).body)
        links = {link["relation"]: link["url"].partition("?")[2] for link in bundle["link"]}
        entries = [entry["resource"]["id"] for entry in bundle.get("entry", ())]
        found.append((entries, bundle.get("total"), links.get("previous", "")))
        query = links.get(relation, "")
    return found
