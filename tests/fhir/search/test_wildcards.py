"""`_include=*` and `_revinclude=*`: as much as all the parameters named one by one, within limits that are said."""

from typing import Any

import pytest

from liaison.fhir.definitions import RESOURCE_TYPES, ownership, search_parameters
from liaison.fhir.search import include, referrers
from liaison.fhir.store.contract import Key
from liaison.fhir.store.referring import Referring

from .conftest import PSY, Found, Territory
from .linked import House

HIDDEN = {"meta": {"security": [{"system": PSY, "code": "x"}]}}


def _names(house: House, found: Found) -> str:
    named = {house.territory.id(key): name for name, key in house.names.items()}
    return " ".join(sorted(named[one] for one in found.included))


def _said(found: Found) -> list[str]:
    """What the outcome entry says; there is at most one."""
    assert len(found.outcomes) <= 1
    issues = [issue for outcome in found.outcomes for issue in outcome["issue"]]
    assert all((issue["severity"], issue["code"]) == ("warning", "too-costly") for issue in issues)
    return [issue["diagnostics"] for issue in issues]


def _one_by_one(type_: str) -> tuple[str, str]:
    """The same as both wildcards, without them."""
    forward = [f"_include={type_}:{code}" for code, one in search_parameters(type_).items() if one.type == "reference"]
    reverse = [f"_revinclude={source}:*" for source in sorted(RESOURCE_TYPES) if ownership(source).rule != "never"]
    return "&".join(forward + reverse[:60]), "&".join(reverse[60:])


@pytest.mark.parametrize(
    ("type_", "query", "wanted"),
    [
        ("Encounter", "_include=*", "durand petit paul unit zoe"),
        ("Encounter", "_revinclude=*", "o-paul o-zoe"),
        ("Encounter", "_revinclude=Observation:*", "o-paul o-zoe"),
        ("Encounter", "_include=*&_revinclude=*", "durand o-paul o-zoe paul petit unit zoe"),
        ("Encounter", "_include=*&_include:iterate=*", "durand hospital lungs paul petit unit zoe"),
        ("Encounter", "_include=Encounter:subject&_revinclude:iterate=*", "alone o-paul o-zoe paul zoe"),
        ("Organization", "name=hopital&_revinclude:iterate=*", "e-paul e-zoe lungs o-paul o-zoe paul unit"),
        ("Organization", "name=hopital&_revinclude=*", "lungs"),
        ("Practitioner", "_revinclude=*", "e-paul e-zoe zoe"),
        ("Patient", "_revinclude=*", "alone e-paul e-zoe o-paul o-zoe"),
        ("Observation", "code=9279-1&_include=*", "zoe"),
        ("", "_type=Encounter,Observation&_include=*", "durand paul petit unit zoe"),
    ],
)
async def test_a_star_stands_for_every_reference(territory: Territory, type_: str, query: str, wanted: str) -> None:
    house = await House.furnished(territory)
    found = await territory.search(type_, query)
    assert _names(house, found) == " ".join(sorted(wanted.split()))
    assert not found.outcomes
    assert {one.key for one in found.answer.disclosed} == {
        key for key in house.names.values() if territory.id(key) in {*found.ids, *found.included}
    }


@pytest.mark.parametrize("type_", ["Encounter", "Patient", "Practitioner", "Organization"])
async def test_stars_find_what_the_parameters_named_one_by_one_find(territory: Territory, type_: str) -> None:
    await House.furnished(territory)
    star = await territory.search(type_, "_include=*&_revinclude=*")
    forward, reverse = _one_by_one(type_)
    each = [await territory.search(type_, query) for query in (forward, reverse)]
    assert set(star.included) == {one for found in each for one in found.included}


async def test_a_star_reaches_into_other_records_by_the_references_that_lead_there(territory: Territory) -> None:
    house = await House.furnished(territory)
    await house.observation("about-paul", "zoe", focus=[house.ref("o-paul")])
    hidden = await house.patient("hidden", seen=False)
    await house.observation("secret", "hidden", focus=[house.ref("o-paul")])
    for query in ("_revinclude=*", "_revinclude=Observation:*", "_revinclude=Observation:focus"):
        found = await territory.search("Observation", f"patient={territory.id(house.names['paul'])}&{query}")
        assert _names(house, found) == "about-paul", query
        assert hidden.patient not in {one.key.patient for one in found.answer.disclosed}


async def test_scopes_bound_a_star(territory: Territory) -> None:
    house = await House.furnished(territory)
    for scope, wanted in (
        ("user/Encounter.rs", ""),
        ("user/Encounter.rs user/Organization.rs", "unit"),
        ("user/Encounter.rs user/Observation.rs?code=8867-4", "o-paul o-zoe"),
        ("user/Encounter.rs user/Observation.rs?code=none", ""),
    ):
        caller = await territory.session(hash(scope) % 10_000 + 10, 1, scope)
        found = await territory.search("Encounter", "_include=*&_revinclude=*", caller)
        assert _names(house, found) == wanted, scope


# ---- limits --------------------------------------------------------------------------------------------------------


async def _linked(territory: Territory, *, hidden: int) -> Key:
    """A report of three observations that may be seen and of `hidden` ones that may not; of the first of them three that
    may be seen are derived, `hidden` ones that may not, and as many of a stranger."""
    patient = await territory.patient()
    await territory.grant(patient.patient, 1)
    stranger = await territory.patient()
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    seen = [await territory.observation(patient, str(n), at=f"2026-01-0{9 - n}") for n in range(3)]
    unseen = [await territory.observation(patient, str(n), at="2026-03-01", **HIDDEN) for n in range(hidden)]
    report = await territory.add(
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": {"text": "x"},
            "result": [{"reference": f"Observation/{territory.id(key)}"} for key in (*unseen, *seen)],
            **subject,
        },
        patient,
    )
    about: dict[str, Any] = {"derivedFrom": [{"reference": f"Observation/{territory.id(seen[0])}"}]}
    for n in range(3):
        await territory.observation(patient, f"d{n}", at=f"2026-02-0{9 - n}", **about)
    for n in range(hidden):
        await territory.observation(patient, f"d{n}", at="2026-03-01", **about, **HIDDEN)
        await territory.observation(stranger, f"d{n}", at="2026-03-01", **about)
    return report


async def _shape(territory: Territory, found: Found) -> Any:
    """A page as its reader tells it from others: what it holds, by code, and what it says."""
    shown = [
        (entry["search"]["mode"], entry["resource"]["resourceType"], entry["resource"].get("code", {}).get("coding"))
        for entry in found.bundle["entry"]
    ]
    return shown, _said(found), found.total, len(found.answer.disclosed)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 6, 7])
async def test_a_limit_tells_nothing_of_what_may_not_be_seen(
    territory: Territory, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(include, "MOST", most)
    monkeypatch.setattr(include, "BATCH", 2)
    shapes = []
    for hidden in (0, 3):
        report = await _linked(territory, hidden=hidden)
        pages = [
            await territory.search("DiagnosticReport", f"_id={territory.id(report)}&{query}")
            for query in (
                "_include=*",
                "_include=DiagnosticReport:result&_revinclude:iterate=*",
                "_include=DiagnosticReport:result&_revinclude:iterate=Observation:derived-from",
            )
        ]
        shapes.append([await _shape(territory, found) for found in pages])
        assert [len(found.included) for found in pages] == [min(most, 4), min(most, 6), min(most, 6)]
        assert [bool(found.outcomes) for found in pages] == [most < 4, most < 6, most < 6]
        assert all(f"{most} resources" in said for found in pages for said in _said(found))
    assert shapes[0] == shapes[1]


async def test_the_test_of_limits_would_see_hidden_ones_counted(
    territory: Territory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: what is looked up is counted before it is known whether it may be seen."""
    referred = include.Includes._add_referred

    async def counting(self: include.Includes, fresh: Any, asked: Any) -> bool:
        return len((await self._referred(fresh, asked))[0]) <= include.MOST and await referred(self, fresh, asked)

    monkeypatch.setattr(include, "MOST", 4)
    monkeypatch.setattr(include.Includes, "_add_referred", counting)
    said = []
    for hidden in (0, 3):
        report = await _linked(territory, hidden=hidden)
        found = await territory.search("DiagnosticReport", f"_id={territory.id(report)}&_include=*")
        said.append(bool(_said(found)))
    assert said == [False, True]


async def test_a_page_that_is_full_keeps_the_nearest(territory: Territory, monkeypatch: pytest.MonkeyPatch) -> None:
    house = await House.furnished(territory)
    monkeypatch.setattr(include, "MOST", 2)
    found = await territory.search("Observation", "code=9279-1&_include=*&_include:iterate=*&_revinclude:iterate=*")
    assert found.included[0] == territory.id(house.names["zoe"])
    assert (len(found.included), len(_said(found)), found.total) == (2, 1, 1)


async def test_what_would_cost_too_much_is_left_out_and_said(
    territory: Territory, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await House.furnished(territory)
    monkeypatch.setattr(referrers, "MOST_TOKENS", 10)
    found = await territory.search("Practitioner", "_revinclude=*")
    assert len(_said(found)) == 1
    for query, wanted in (("Encounter:participant", "e-paul e-zoe"), ("Patient:general-practitioner", "zoe")):
        found = await territory.search("Practitioner", f"_revinclude={query}")
        assert (_names(house, found), found.outcomes) == (wanted, [])
    await territory.database.writing.execute("delete from reindexing")  # a base of an older version: by marks
    territory.store.referring = Referring(territory.database, territory.store.lanes, territory.store.vault)
    monkeypatch.setattr(referrers, "MOST_MARKS", 1)
    found = await territory.search("Encounter", "_revinclude=Observation:encounter")
    assert (_names(house, found), len(_said(found))) == ("o-paul o-zoe", 1)  # the own record is looked at all the same


# ---- cost ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("older", [False, True])
async def test_a_reference_is_looked_for_in_its_own_record_and_where_one_leads_in(
    territory: Territory, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    """Once each match was looked for in every record of the caller: 3 matches, 2 ways to write, 33 records, 198 tokens.
    Then one token in each, for a mark: what is still done on a base of an older version."""
    if older:
        await territory.database.writing.execute("delete from reindexing")
    patients = [await territory.patient() for _ in range(30)]
    for one in patients:
        await territory.grant(one.patient, 1)
    house = House(territory)
    for name in ("a", "b", "c"):
        await house.patient(name)
        await house.encounter(f"e-{name}", name, "HH")
        await house.observation(f"o-{name}", name, encounter=house.ref(f"e-{name}"))
    made: list[referrers.Referrers] = []
    sent: list[str] = []
    fetch = territory.store.lanes.fetch

    class Counted(referrers.Referrers):
        def __init__(self, *of: Any) -> None:
            super().__init__(*of)
            made.append(self)

    async def watched(text: str, *arguments: Any) -> Any:
        sent.append(text)
        return await fetch(text, *arguments)

    monkeypatch.setattr(territory.store.lanes, "fetch", watched)
    monkeypatch.setattr(include, "Referrers", Counted)
    statements = []
    for query in ("_revinclude=Observation:encounter", "_revinclude=Observation:*", "_revinclude=*"):
        sent.clear()
        assert _names(house, await territory.search("Encounter", query)) == "o-a o-b o-c"
        statements.append(len(sent))
    # The patients, the page, what leads in and whether the caller sees it, what refers to it; or the patients twice, the
    # page, the marks, what refers to it. Of all types: which there are, in records and directory.
    assert statements == [5, 5, 7]
    assert made[0].tokens == 3 * 2 + (33 if older else 0)
    assert made[-1].tokens < 100  # of 2,448 ways in which something might refer to them
