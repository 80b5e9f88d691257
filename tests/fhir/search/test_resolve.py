"""Criteria that ask the base what they mean: value sets, code systems and lists that the caller may see."""

from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.store.contract import Key

from .conftest import BASE, PSY, Territory

LOINC = "http://loinc.org"
ACME = "http://acme.org/codes"
STATUS = "http://hl7.org/fhir/observation-status"


def value_set(url: str, *include: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "status": "active", "url": url, "compose": {"include": list(include)}, **more}


def of(system: str, *codes: str) -> dict[str, Any]:
    return {"system": system, "concept": [{"code": code} for code in codes]}


SYSTEM = {
    "resourceType": "CodeSystem",
    "status": "active",
    "url": ACME,
    "content": "complete",
    "concept": [
        {"code": "heart", "concept": [{"code": "valve"}]},
        {"code": "stent", "property": [{"code": "parent", "valueCode": "heart"}]},
        {"code": "skin"},
    ],
}


async def coded(territory: Territory, owner: Key, code: str) -> str:
    tree = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": ACME, "code": code}]}}
    return territory.id(await territory.add(tree | {"subject": {"reference": f"Patient/{territory.id(owner)}"}}, owner))


async def test_codes_are_asked_by_value_set_and_by_concept(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await territory.add(SYSTEM)
    await territory.add(value_set("http://v/vital", of(LOINC, "8867-4"), version="1.9"))
    await territory.add(value_set("http://v/vital", of(LOINC, "8867-4", "29463-7"), version="1.10"))
    key = await territory.add(
        value_set(
            "http://v/heart", {"system": ACME, "filter": [{"property": "concept", "op": "is-a", "value": "heart"}]}
        )
    )
    await territory.add(value_set("http://v/final", of(STATUS, "final")))
    await territory.add(value_set("http://v/all", {"system": ACME}, {"system": "http://other"}))
    names = {
        territory.id(await territory.observation(patient, "8867-4")): "pulse",
        territory.id(await territory.observation(patient, "29463-7", status="amended")): "weight",
        await coded(territory, patient, "heart"): "heart",
        await coded(territory, patient, "valve"): "valve",
        await coded(territory, patient, "stent"): "stent",
        await coded(territory, patient, "skin"): "skin",
    }
    everything = set(names.values())
    cardiac = {"heart", "valve", "stent"}
    who = f"patient={territory.id(patient)}&"
    for query, wanted in (
        ("code:in=http://v/vital", {"pulse", "weight"}),
        ("code:in=http://v/vital|1.9", {"pulse"}),
        ("code:not-in=http://v/vital", everything - {"pulse", "weight"}),
        ("code:in=http://v/heart", cardiac),
        ("code:in=http://v/vital,http://v/heart", cardiac | {"pulse", "weight"}),
        ("code:not-in=http://v/vital,http://v/heart", {"skin"}),
        ("code:in=http://v/heart&code:below=" + ACME + "|valve", {"valve"}),
        (f"code:in=ValueSet/{territory.id(key)}", cardiac),
        (f"code:in={BASE}/ValueSet/{territory.id(key)}", cardiac),
        ("code:in=http://v/all", cardiac | {"skin"}),
        (f"code:in={ACME}?fhir_vs=isa/heart", cardiac),
        (f"code:below={ACME}|heart", cardiac),
        (f"code:above={ACME}|valve", {"heart", "valve"}),
        ("status:in=http://v/final", everything - {"weight"}),
        ("status:not-in=http://v/final", {"weight"}),
        ("status:in=http://hl7.org/fhir/ValueSet/observation-status", everything),
        ("category:not-in=http://v/vital", everything),
    ):
        for prefix in ("", who):
            found = await territory.search("Observation", prefix + query)
            assert {names[id_] for id_ in found.ids} == wanted, prefix + query
    paged = await territory.all_pages("Observation", "code:in=http://v/heart&_count=1")
    assert {names[id_] for id_ in paged} == cardiac


async def test_a_chain_may_stand_beside_a_value_set_and_end_in_a_list(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await territory.add(value_set("http://v/vital", of(LOINC, "8867-4")))
    nurse = await territory.add({"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
    performer = [{"reference": f"Practitioner/{territory.id(nurse)}"}]
    pulse = territory.id(await territory.observation(patient, performer=performer))
    await territory.observation(patient, "29463-7", performer=performer)
    items = [{"item": performer[0]}]
    staff = {"resourceType": "List", "status": "current", "mode": "working", "entry": items}
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    list_ = territory.id(await territory.add(staff | subject, patient))
    for chain in (
        "performer:Practitioner.family=petit",
        f"performer:Practitioner._list={list_}",
        f"performer._list={list_}",
    ):
        assert (await territory.search("Observation", f"code:in=http://v/vital&{chain}")).ids == [pulse], chain


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("code:in=http://v/unknown", "http://v/unknown"),
        ("code:in=ValueSet/made-up", "ValueSet/made-up"),
        ("code:in=http://v/filter", "http://nowhere"),
        ("code:in=http://v/filter|2", "http://v/filter|2"),
        ("code:below=http://nowhere|1", "http://nowhere"),
        (f"code:below={ACME}|unknown", "unknown"),
    ],
)
async def test_what_is_not_kept_is_refused_by_name(team: tuple[Territory, Key], query: str, named: str) -> None:
    territory, _ = team
    await territory.add(SYSTEM)
    filter_ = {"system": "http://nowhere", "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}
    await territory.add(value_set("http://v/filter", filter_))
    with pytest.raises(BadRequest) as refused:
        await territory.search("Observation", query)
    assert named in refused.value.issues[0].diagnostics
    assert query.partition("=")[0] in refused.value.issues[0].diagnostics


async def test_scopes_that_hide_definitions_forbid_asking_about_them(team: tuple[Territory, Key]) -> None:
    territory, _ = team
    narrow = await territory.session(7, 1, "user/Observation.rs")
    for query in ("code:in=http://v/x", f"code:below={ACME}|heart", "_list=x"):
        with pytest.raises(Forbidden):
            await territory.search("Observation", query, narrow)


async def test_a_list_finds_what_it_names_as_far_as_the_caller_sees(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    one, two, three = [await territory.observation(patient, str(number)) for number in range(3)]
    hidden = await territory.observation(patient, "9", meta={"security": [{"system": PSY, "code": "x"}]})
    stranger = await territory.patient()

    async def list_(*keys: Key, **more: Any) -> str:
        items = [{"item": {"reference": f"Observation/{territory.id(key)}"}} for key in keys]
        items.append({"item": {"reference": f"Patient/{territory.id(patient)}"}})
        owner = more.pop("owner", patient)
        tree = {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "subject": {"reference": f"Patient/{territory.id(owner)}"},
            "entry": items,
        }
        return territory.id(await territory.add(tree | more, owner))

    mine = await list_(one, two, hidden)
    other = await list_(three)
    secret = await list_(one, meta={"security": [{"system": PSY, "code": "x"}]})
    foreign = await list_(one, owner=stranger)
    a, b, c = (territory.id(key) for key in (one, two, three))
    for query, wanted in (
        (f"_list={mine}", {a, b}),
        (f"_list=List/{mine}", {a, b}),
        (f"_list={mine},{other}", {a, b, c}),
        (f"_list={mine}&_list={other}", set()),
        (f"_list={mine}&code=1", {b}),
        (f"_list={secret}", set()),
        (f"_list={foreign}", set()),
        (f"_list={territory.id(one)}", set()),
        ("_list=made-up", set()),
    ):
        found = await territory.search("Observation", f"{query}&_total=accurate")
        assert (set(found.ids), found.total) == (wanted, len(wanted)), query
    assert (await territory.search("Patient", f"_list={mine}")).ids == [territory.id(patient)]
    assert (await territory.search("Patient", f"_list={secret}")).ids == []
    assert len(await territory.all_pages("Observation", f"_list={mine}&_count=1&_sort=code")) == 2


async def test_locations_are_found_by_where_they_are(territory: Territory) -> None:
    near = await territory.add({"resourceType": "Location", "position": {"longitude": 2.444, "latitude": 44.9261}})
    await territory.add({"resourceType": "Location", "position": {"longitude": 2.3522, "latitude": 48.8566}})
    await territory.add({"resourceType": "Location", "name": "nowhere"})
    assert (await territory.search("Location", "near=45|2.5|20|km")).ids == [territory.id(near)]
    assert len((await territory.search("Location", "near=45|2.5|300|[mi_us]")).ids) == 2


async def test_references_are_followed_up_and_down_a_hierarchy(team: tuple[Territory, Key]) -> None:
    territory, patient = team

    async def place(part_of: str = "") -> str:
        tree = {"resourceType": "Location", **({"partOf": {"reference": f"Location/{part_of}"}} if part_of else {})}
        return territory.id(await territory.add(tree))

    async def stay(part_of: str = "", **more: Any) -> str:
        tree = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "IMP"},
            "subject": {"reference": f"Patient/{territory.id(patient)}"},
            **({"partOf": {"reference": f"Encounter/{part_of}"}} if part_of else {}),
        }
        return territory.id(await territory.add(tree | more, patient))

    house = await place()
    ward = await place(house)
    room, other = await place(ward), await place()
    at = {one: await stay(location=[{"location": {"reference": f"Location/{one}"}}]) for one in (house, room, other)}
    for query, wanted in (
        (f"location:below={house}", {at[house], at[room]}),
        (f"location:below=Location/{ward}", {at[room]}),
        (f"location:above={room}", {at[house], at[room]}),
        (f"location:below={other}", {at[other]}),
        (f"location:below={house},{other}", set(at.values())),
        ("location:below=made-up", set()),
    ):
        assert set((await territory.search("Encounter", query)).ids) == wanted, query

    whole = await stay()
    part = await stay(whole)
    seen = territory.id(await territory.observation(patient, encounter={"reference": f"Encounter/{part}"}))
    assert (await territory.search("Observation", f"encounter:below={whole}")).ids == [seen]
    assert (await territory.search("Observation", f"encounter:above={whole}")).ids == []
    hidden = await stay(whole, meta={"security": [{"system": PSY, "code": "x"}]})
    await territory.observation(patient, encounter={"reference": f"Encounter/{hidden}"})
    assert (await territory.search("Observation", f"encounter:below={whole}")).ids == [seen]
