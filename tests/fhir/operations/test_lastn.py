"""Observation/$lastn: the last of each code among what is visible, ties included, newest first."""

from typing import Any

import pytest

from liaison.fhir.operations.lastn import Groups

from ...auth.access import territory as access
from .conftest import Territory, parameters

Tree = dict[str, Any]
LOINC = "http://loinc.org"


def code(*codings: str, text: str = "") -> Tree:
    found: Tree = {"coding": [{"system": one.partition("|")[0], "code": one.partition("|")[2]} for one in codings]}
    return found if codings else {"text": text}


async def observe(territory: Territory, patient: Any, at: str, **more: Any) -> str:
    tree = {**access.vital(), "code": code(f"{LOINC}|29463-7"), "effectiveDateTime": at, **more}
    made: str = await territory.item(patient, **tree)
    return made


async def test_the_last_of_each_code(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weights = [await observe(territory, patient, f"2026-03-0{day}") for day in (1, 3, 2)]
    height = await observe(territory, patient, "2025-01-01", code=code(f"{LOINC}|8302-2"))
    path = f"Observation/$lastn?patient={patient.id}&category=vital-signs"

    assert (await territory.call(gp.caller, path)).matches == [weights[1], height]
    assert (await territory.call(gp.caller, f"{path}&max=2")).matches == [weights[1], weights[2], height]
    assert (await territory.call(gp.caller, f"{path}&max=9")).matches == [weights[1], weights[2], weights[0], height]
    assert (await territory.call(gp.caller, f"{path}&code=29463-7")).matches == [weights[1]]
    assert (await territory.call(gp.caller, f"{path}&date=lt2026-03-02")).matches == [weights[0], height]
    assert (await territory.call(gp.caller, f"{path}&code=nothing")).matches == []


async def test_the_same_moment_counts_once(territory: Territory) -> None:
    """R4: 4 instead of 3 if the 3rd and the 4th have the same effective time."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    moments = ("2026-03-05", "2026-03-04", "2026-03-03", "2026-03-03", "2026-03-02")
    made = [await observe(territory, patient, at) for at in moments]
    path = f"Observation/$lastn?patient={patient.id}&category=vital-signs"

    assert set((await territory.call(gp.caller, f"{path}&max=3")).matches) == set(made[:4])
    assert set((await territory.call(gp.caller, f"{path}&max=4")).matches) == set(made[:4])
    assert (await territory.call(gp.caller, path)).matches == made[:1]


async def test_translations_are_one_group_and_spellings_are_not(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    both = await observe(territory, patient, "2026-01-01", code=code(f"{LOINC}|a", "urn:local|b"))
    await observe(territory, patient, "2025-01-01", code=code(f"{LOINC}|a"))
    await observe(territory, patient, "2025-02-01", code=code("urn:local|b"))
    texts = [await observe(territory, patient, "2024-01-01", code=code(text=text)) for text in ("text", "Text")]
    found = await territory.call(gp.caller, f"Observation/$lastn?subject={patient.reference}&category=vital-signs")

    assert found.matches[0] == both
    assert set(found.matches) == {both, *texts}


async def test_a_value_entered_in_error_is_not_the_last(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    right = await observe(territory, patient, "2026-01-01")
    wrong = await observe(territory, patient, "2026-02-01", status="entered-in-error")
    path = f"Observation/$lastn?patient={patient.id}&category=vital-signs"

    assert (await territory.call(gp.caller, path)).matches == [right]
    assert (await territory.call(gp.caller, f"{path}&status=entered-in-error,final")).matches == [wrong]


async def test_each_subject_has_their_own(territory: Territory) -> None:
    gp = await territory.person("gp")
    one, two = await territory.patient(gp), await territory.patient(gp)
    made = [await observe(territory, patient, f"2026-01-0{n}") for n, patient in ((1, one), (2, two))]

    found = await territory.call(gp.caller, f"Observation/$lastn?patient={one.id},{two.id}&category=vital-signs")
    assert found.matches == [made[1], made[0]]


async def test_it_is_decided_on_what_is_visible(territory: Territory) -> None:
    """The last one that the caller may see, not the last one with a hole in its place."""
    gp, stranger = await territory.person("gp"), await territory.person("gp")
    patient = await territory.patient(gp)
    seen = await observe(territory, patient, "2026-01-01", code=code(f"{LOINC}|a"))
    other = await observe(territory, patient, "2026-01-02", code=code(f"{LOINC}|b"))
    protected = {"meta": {"security": access.classes("PROT")}}
    hidden = await observe(territory, patient, "2026-02-01", code=code(f"{LOINC}|a", f"{LOINC}|b"), **protected)
    path = f"Observation/$lastn?patient={patient.id}&category=vital-signs"

    assert (await territory.call(gp.caller, path)).matches == [other, seen]  # not even joined by a hidden translation
    assert (await territory.call(territory.system, path)).matches == [hidden]
    nothing = await territory.call(stranger.caller, path)
    absent = await territory.call(stranger.caller, path.replace(patient.id, "0" * 32))
    assert nothing.answer.body == absent.answer.body.replace(b"0" * 32, patient.id.encode())
    assert nothing.matches == []


async def test_lists_value_sets_and_chains_are_asked_as_in_a_search(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    first, last = [await observe(territory, patient, f"2026-01-0{day}") for day in (1, 2)]
    entry = [{"item": {"reference": first}}]
    tree: Tree = {"resourceType": "List", "status": "current", "mode": "working", "entry": entry}
    tree["subject"] = {"reference": f"Patient/{patient.id}"}
    list_ = await territory.create(gp.caller, tree)
    path = f"Observation/$lastn?patient={patient.id}&category=vital-signs"
    finals = "http://hl7.org/fhir/ValueSet/observation-status"

    found = await territory.call(gp.caller, f"{path}&_list={list_.partition('/')[2]}")
    assert found.matches == [first]
    assert [territory.store.reference(one.key) for one in found.answer.consulted] == [list_]  # for the journal
    for more, wanted in (
        (f"status:in={finals}", [last]),
        (f"status:not-in={finals}", []),
        ("patient.family=nobody", []),
    ):
        assert (await territory.call(gp.caller, f"{path}&{more}")).matches == wanted, more


async def test_post_is_get(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    made = [await observe(territory, patient, f"2026-01-0{day}") for day in (1, 2)]
    body = parameters(patient__valueString=patient.id, category__valueCode="vital-signs", max__valuePositiveInt=5)

    found = await territory.call(gp.caller, "Observation/$lastn", body)
    assert found.matches == made[::-1]
    assert found.answer.asked == f"max=5&patient={patient.id}&category=vital-signs"  # for the journal


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("category=vital-signs", "patient"),
        ("patient=x", "category"),
        ("patient=x&category=y&max=0", "max"),
        ("patient=x&category=y&max=1&max=2", "max"),
        ("patient=x&category=y&_count=5", "_count"),
        ("patient=x&category=y&_sort=date", "_sort"),
        ("patient=x&category=y&nonsense=5", "nonsense"),
        ("patient=x&category=y&date=soon", "date"),
    ],
)
async def test_what_is_wrong_is_named(territory: Territory, query: str, named: str) -> None:
    gp = await territory.person("gp")
    answer = await territory.refused(gp.caller, "GET", f"Observation/$lastn?{query}")

    assert answer.status == 400
    assert f"'{named}'".encode() in answer.body


async def test_scopes_bound_it(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    await territory.item(patient, effectiveDateTime="2027-01-01")
    vital = await observe(territory, patient, "2026-01-01")
    path = f"Observation/$lastn?patient={patient.id}&code=29463-7"
    narrow = territory.scoped(gp.caller, "user/Observation.rs?category=vital-signs")

    assert (await territory.call(narrow, path)).matches == [vital]
    assert (await territory.ask(territory.scoped(gp.caller, "user/Condition.rs"), "GET", path)).status == 403


def test_what_is_linked_is_one_group() -> None:
    groups = Groups()
    for together in (["a", "b"], ["c"], ["d", "c"], ["b", "d"], ["e"]):
        groups.join(iter(together))

    assert len({groups.of(one) for one in "abcd"}) == 1
    assert groups.of("e") != groups.of("a")
