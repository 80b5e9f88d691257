"""What is read to say what a criterion means decides the answer: every answer that it decides hands it to the journal."""

from collections.abc import Iterator
from typing import Any

import pytest

from liaison.fhir.errors import FhirError, TooCostly
from liaison.fhir.search import answering, find, resolve
from liaison.fhir.store.contract import Disclosure, Key

from .conftest import BASE, PSY, Territory


class Listed:
    """A patient's List of two observations, and all the ways to ask by it."""

    def __init__(self, territory: Territory, patient: Key, list_: Key, members: list[Key]) -> None:
        self.territory, self.patient, self.list_, self.members = territory, patient, list_, members

    @classmethod
    async def of(cls, territory: Territory, patient: Key, **more: Any) -> "Listed":
        members = [await territory.observation(patient, code) for code in ("1", "2")]
        tree = {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "subject": {"reference": f"Patient/{territory.id(patient)}"},
            "entry": [{"item": {"reference": f"Observation/{territory.id(key)}"}} for key in members],
        }
        return cls(territory, patient, await territory.add(tree | more, patient), members)

    async def _search(self, type_: str, query: str, **more: Any) -> tuple[Disclosure, ...]:
        return (await self.territory.search(type_, query, **more)).answer.consulted

    async def _second(self, type_: str, query: str, **more: Any) -> tuple[Disclosure, ...]:
        first = await self.territory.search(type_, f"{query}&_count=1", **more)
        return await self._search(type_, first.next_query, **more)

    async def _found(self, query: str) -> tuple[Disclosure, ...]:
        territory = self.territory
        found = await find(territory.store, territory.caller, "Observation", query, base_url=BASE)
        return found.consulted

    async def _refused(self, query: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Disclosure, ...]:
        async def refuse(*_: Any) -> None:
            raise TooCostly("planted")

        with monkeypatch.context() as planted:
            planted.setattr(answering.Page, "answer", refuse)
            with pytest.raises(FhirError) as refused:
                await self.territory.search("Observation", query)
        return refused.value.consulted

    def asked(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
        by = f"_list={self.territory.id(self.list_)}"
        in_record = f"Patient/{self.territory.id(self.patient)}"
        yield "searchset", self._search("Observation", by)
        yield "count", self._search("Observation", f"{by}&_summary=count")
        yield "nothing found", self._search("Observation", f"{by}&code=none")
        yield "a type that it does not name", self._search("Condition", by)
        yield "second page", self._second("Observation", by)
        yield "second page of a list", self._second("Observation", f"{by}&_sort=code")
        yield "several types", self._search("", f"_type=Observation,Condition&{by}")
        yield "second page of several types", self._second("", f"_type=Observation,Condition&{by}")
        yield "compartment", self._search("Observation", by, compartment=in_record)
        yield "any type of a compartment", self._second("", by, compartment=in_record)
        yield "at the end of a chain", self._search("Patient", f"_has:Observation:patient:{by}")
        yield "conditional", self._found(by)
        yield "conditional, nothing found", self._found(f"{by}&code=none")
        yield "refused after it was read", self._refused(by, monkeypatch)


async def unnoted(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways to ask whose answer leaves the List out."""
    found = []
    for way, asked in listed.asked(monkeypatch):
        consulted = await asked
        assert len(consulted) <= 1, way
        if {(one.key, one.version) for one in consulted} != {(listed.list_, 1)}:
            found.append(way)
        assert all(one.grants for one in consulted), way  # by which right it was read
    return found


async def test_a_list_that_decides_is_handed_to_the_journal_on_every_path(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await unnoted(await Listed.of(*team), monkeypatch) == []


async def test_the_test_would_see_a_path_that_forgets_it(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = await Listed.of(*team)
    noting = resolve._Base._read

    def forgetting(base: Any, opened: Any) -> Any:
        found = noting(base, opened)
        base.consulted.clear()
        return found

    monkeypatch.setattr(resolve._Base, "_read", forgetting)

    missed = await unnoted(listed, monkeypatch)
    assert missed == [way for way, asked in listed.asked(monkeypatch) if asked.close() is None]


async def test_a_list_that_may_not_be_seen_is_not_said_to_have_been_read(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    hidden = await Listed.of(territory, patient, meta={"security": [{"system": PSY, "code": "x"}]})
    narrow = await territory.session(7, 1, "user/Observation.rs user/List.rs?status=retired")
    visible = await Listed.of(territory, patient)
    for listed, caller in ((hidden, territory.caller), (visible, narrow)):
        found = await territory.search("Observation", f"_list={territory.id(listed.list_)}", caller)
        assert (found.ids, found.answer.consulted) == ([], ())


async def test_definitions_and_the_whole_of_a_part_are_noted_too(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    value_set = await territory.add(
        {
            "resourceType": "ValueSet",
            "status": "active",
            "url": "http://v/x",
            "compose": {"include": [{"system": "http://c/x", "filter": [{"property": "p", "op": "=", "value": "1"}]}]},
        }
    )
    system = await territory.add(
        {
            "resourceType": "CodeSystem",
            "status": "active",
            "url": "http://c/x",
            "content": "complete",
            "concept": [{"code": "a", "property": [{"code": "p", "valueString": "1"}]}],
        }
    )
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    stay = {"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, **subject}
    whole = await territory.add(stay, patient)
    part = await territory.add(stay | {"partOf": {"reference": f"Encounter/{territory.id(whole)}"}}, patient)
    for query, wanted in (
        ("code:in=http://v/x", {value_set, system}),
        ("code:below=http://c/x|a", {system}),
        (f"encounter:above={territory.id(part)}", {part, whole}),
    ):
        consulted = (await territory.search("Observation", query)).answer.consulted
        assert {one.key for one in consulted} == wanted, query
