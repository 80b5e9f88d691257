"""What a caller cannot see changes nothing of what they get: not a status, a header, a byte or an order (design §5).

`$register` and `$join` are exempt by name: they start from an identity and may say "known". `$lookup` says that, and nothing
else; what is refused is refused alike (identities.py).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import (
    calls,
    classify,
    emergency,
    heeding,
    internal,
    join,
    nested,
    one_person,
    register,
    second_wall,
)
from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.oauth2.keys import ACCESS, SigningKeys
from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.search import withheld
from liaison.fhir.store import Store, store
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.calls import Calls
from liaison.services.emergency_access import EmergencyAccess
from liaison.services.engine import Engine
from liaison.services.operations import OPERATIONS
from liaison.services.urgent_tokens import Issuer

from ...auth.access import territory as access
from ..hole import Hole
from . import identities, referring, worlds


@asynccontextmanager
async def opened(url: str, key: Path, predicate: Filter | None = None) -> AsyncIterator[Any]:
    async with await Database.connect(url) as database:
        async with database.writing.acquire() as connection:
            vault = await Vault.open(connection, FileKeyProvider.create(key))
            keys = await JournalKeys.load(connection, vault)
        journal = await Journal.open(database, keys)
        async with Store(database, vault, predicate or Filter(), Hooks(vault, journal)) as store:
            issuer = Issuer(await SigningKeys.open(database, vault.territory, [ACCESS]), "https://liaison.test")
            served = {**OPERATIONS, **EmergencyAccess(issuer).operations, **Calls(issuer).operations}
            engine = Engine(store, journal, access.BASE, served, {})
            system = await internal.open_session(database.writing, "sandbox")
            yield access.Territory(store, journal, engine, system)
        await journal.close()


Trace = AsyncIterator[worlds.Answer]
Pair = tuple[worlds.Answer | None, worlds.Answer | None]


async def together(
    postgres: Any, folder: Path, told: Callable[[Any, int], Trace], predicate: Filter | None = None
) -> AsyncGenerator[Pair]:
    """The traces of world 0 and of world 1, answer beside answer: a test that looks for a difference ends with the first.
    None stands beside what only one of them has."""
    async with AsyncExitStack() as stack:
        both = []
        for world in (0, 1):
            name = await postgres.create()
            stack.push_async_callback(postgres.drop, name)
            opening = opened(postgres.url(name), folder / f"key-{name}", predicate)
            both.append(told(await stack.enter_async_context(opening), world))
        while True:
            left, right = [await anext(one, None) for one in both]
            if left is None and right is None:
                return
            yield left, right


async def alike(pairs: AsyncIterator[Pair]) -> list[worlds.Answer]:
    """What both were told, to the end."""
    found = []
    async for left, right in pairs:
        assert left == right
        assert left is not None
        found.append(left)
    return found


async def come_apart(pairs: AsyncGenerator[Pair]) -> bool:
    async with aclosing(pairs) as compared:
        async for left, right in compared:
            if left != right:
                return True
    return False


async def of_strangers(territory: Any, world: int) -> Trace:
    """What the caller is told where the hidden things are (world 0), and where they are not."""
    gp, patient = await worlds.same(territory)
    unseen = worlds.absent(territory) if world else await worlds.hidden(territory, gp, patient)
    async for one in worlds.trace(territory, gp.caller, worlds.requests(patient, gp, unseen)):
        yield one


async def test_two_worlds_give_the_same_trace(postgres: Any, tmp_path: Path) -> None:
    told = await alike(together(postgres, tmp_path, of_strangers))

    statuses = {answer[2] for answer in told}
    assert {200, 201, 404, 422} <= statuses  # the trace shows something
    assert not {status for status in statuses if status >= 500}


@pytest.mark.parametrize("name", ["principal", pytest.param("author", marks=pytest.mark.proof)])
async def test_a_hole_in_the_predicate_shows(
    postgres: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling: with one condition gone, and the second wall open, the worlds come apart."""
    allow: Callable[..., bool] = lambda caller, row, unpermuted: True  # one expression
    monkeypatch.setattr(second_wall, "allows", allow)

    pairs = together(postgres, tmp_path, of_strangers, Hole(name))
    found = [pair async for pair in pairs if pair[0] != pair[1]]
    paths = b" ".join(one[1] for pair in found for one in pair if one is not None)
    for operation in (b"$everything", b"$summary", b"$lastn", b"Observation/$meta"):
        assert operation in paths


UNREAD: dict[str, tuple[Any, str, Any]] = {
    "what is contained": (nested, "NO_CONTENT", RESOURCE_TYPES),
    "codes in odd places": (classify, "_is_sensitive", lambda known, coding: False),
}


@pytest.mark.parametrize("name", UNREAD)
async def test_what_is_not_looked_into_shows(
    postgres: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*UNREAD[name])
    assert await come_apart(together(postgres, tmp_path, of_strangers))


async def test_with_the_hole_the_second_wall_still_holds(postgres: Any, tmp_path: Path) -> None:
    """A read that SQL lets through wrongly is stopped by the other wall, and answered like nothing."""
    name = await postgres.create()
    async with opened(postgres.url(name), tmp_path / "key", Hole("principal")) as territory:
        gp, patient = await worlds.same(territory)
        unseen = await worlds.hidden(territory, gp, patient)
        assert await territory.status(gp.caller, patient.reference) == 200
        for reference in (unseen["Patient"], unseen["Observation"]):
            assert await territory.status(gp.caller, reference) == 404
    await postgres.drop(name)


async def of_the_hidden(territory: Any, world: int) -> Trace:
    """What a nurse is told of two records in which things refer to items that she may not know of."""
    nurse, patient, hidden, seen = await referring.record(territory, world)
    async for one in worlds.trace(territory, nurse.caller, referring.requests(patient, hidden[0], seen)):
        yield one


async def test_what_refers_to_what_is_hidden_says_nothing_of_it(postgres: Any, tmp_path: Path) -> None:
    answers = await alike(together(postgres, tmp_path, of_the_hidden))

    told = b"".join(answer[4] for answer in answers)
    assert b"poids" in told
    assert b"SUBSETTED" in told
    assert {answer[2] for answer in answers} == {200, 201, 404, 422}


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "it is named": (store, "without", lambda tree, hidden: tree),
    "it is found": (withheld, "holds", lambda condition, row, tree, key_of: True),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_reference_that_tells_shows(
    postgres: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*FAULTS[name])
    assert await come_apart(together(postgres, tmp_path, of_the_hidden))


Worlds = Callable[[Any, dict[str, Any], int], Awaitable[list[tuple[Any, referring.Asked]]]]


def by_identity(made: Worlds) -> Callable[[Any, int], Trace]:
    """What several callers are told who ask by who somebody is."""

    async def told(territory: Any, world: int) -> Trace:
        people = await identities.callers(territory)
        for caller, what in await made(territory, people, world):
            async for one in worlds.trace(territory, caller, [what]):
                yield one

    return told


async def test_a_refusal_says_of_nobody_whether_they_are_known(postgres: Any, tmp_path: Path) -> None:
    answers = await alike(together(postgres, tmp_path, by_identity(identities.refused)))

    assert {answer[2] for answer in answers if answer[0] == "POST"} == {400, 403, 404}


async def test_a_look_up_says_that_somebody_is_known_and_nothing_of_them(postgres: Any, tmp_path: Path) -> None:
    answers = await alike(together(postgres, tmp_path, by_identity(identities.known)))

    told = b"".join(answer[4] for answer in answers if answer[0] == "POST")
    assert b'"known"' in told
    assert b'"unknown"' in told


async def _is_not(*given: Any, **named: Any) -> bool:
    return False


async def _unless_opposed(finder: Any, patient: Any) -> list[Any]:
    """As if whoever opposed sharing was not known."""
    found = await _HONEST(finder, patient)
    opposed = await one_person.opposed_in_any(
        finder.store, finder.caller, finder.cell, found, access.BASE, emergency=False
    )
    return [] if opposed else found


_HONEST = register._known
TELLING: dict[str, tuple[Any, str, Any, Worlds]] = {
    "an emergency opens a record against an objection": (emergency, "opposed_in_any", _is_not, identities.refused),
    "a call opens a record against an opposition": (calls, "opposed_in_any", _is_not, identities.refused),
    "whoever is opposed is joined": (join, "opposed_to", _is_not, identities.refused),
    "whoever is opposed is not known": (register, "_known", _unless_opposed, identities.known),
}


@pytest.mark.parametrize("name", TELLING)
async def test_an_answer_that_tells_who_it_is_about_shows(
    postgres: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    *planted, made = TELLING[name]
    monkeypatch.setattr(*planted)
    monkeypatch.setattr(heeding, "refuse_opposed", _is_not)  # which asks again when an access is written
    assert await come_apart(together(postgres, tmp_path, by_identity(made)))
