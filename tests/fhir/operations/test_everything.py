"""$everything: the whole visible record, each resource once, on however many pages."""

from typing import Any

import pytest

from .conftest import Territory, Tree, parameters


async def filled(territory: Territory) -> tuple[Territory, Any, Any]:
    """A gp and a patient with a small record that names the directory."""
    organization = await territory.organization("Maison")
    gp = await territory.person("gp", organization)
    patient = await territory.patient(gp)
    for day in range(1, 6):
        performer = [{"reference": one} for one in (gp.practitioner, gp.role, patient.reference)]
        patient.made[f"weight{day}"] = await territory.item(
            patient, **territory.vital(effectiveDateTime=f"2026-03-0{day}", performer=performer)
        )
    patient.made["problem"] = await territory.item(patient, "Condition", recordedDate="2020-02-01")
    patient.made["stay"] = await territory.item(
        patient, "Encounter", serviceProvider={"reference": organization},
        period={"start": "2026-02-01T08:00:00Z", "end": "2026-03-02T08:00:00Z"},
    )  # fmt: skip
    return territory, gp, patient


@pytest.fixture
async def record(territory: Territory) -> tuple[Territory, Any, Any]:
    return await filled(territory)


@pytest.fixture(scope="module")
async def read_record(read_territory: Territory) -> tuple[Territory, Any, Any]:
    return await filled(read_territory)


async def test_it_is_the_record_and_the_directory_each_once(read_record: tuple[Territory, Any, Any]) -> None:
    """blaze#1287: what named the patient twice came twice."""
    territory, gp, patient = read_record
    found = await territory.call(gp.caller, f"{patient.reference}/$everything")

    assert found.names[0] == patient.reference
    assert set(found.matches) == {patient.reference, *patient.made.values()}
    assert set(found.names) - set(found.matches) == {gp.practitioner, gp.role, gp.organization}
    assert len(found.names) == len(set(found.names))
    assert found.tree["type"] == "searchset" and found.tree["total"] == len(found.matches)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
async def test_pages_together_are_the_whole(read_record: tuple[Territory, Any, Any], count: int) -> None:
    """blaze#1348, medplum#3944: without pages, a large record was cut."""
    territory, gp, patient = read_record
    whole = await territory.call(gp.caller, f"{patient.reference}/$everything")
    pages = await territory.pages(gp.caller, f"{patient.reference}/$everything?_count={count}")

    assert [name for page in pages for name in page.matches] == whole.matches
    named = [name for page in pages for name in page.names]
    assert sorted(named) == sorted(whole.names)
    assert all(len(page.matches) <= count for page in pages)


@pytest.mark.parametrize("count", [1, 4])
async def test_pages_show_the_first_ones_moment(record: tuple[Territory, Any, Any], count: int) -> None:
    territory, gp, patient = record
    before = await territory.call(gp.caller, f"{patient.reference}/$everything")
    first = await territory.call(gp.caller, f"{patient.reference}/$everything?_count={count}")
    await territory.item(patient, "Condition")
    await territory.change(gp.caller, patient.made["weight5"], status="amended")
    seen = list(first.matches)
    versions = [tree["meta"]["versionId"] for tree in first.trees]
    while first.next:
        first = await territory.call(gp.caller, first.next_path)
        seen += first.matches
        versions += [tree["meta"]["versionId"] for tree in first.trees]

    assert seen == before.matches
    assert set(versions) == {"1"}


async def test_a_right_withdrawn_between_two_pages_is_gone(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    first = await territory.call(gp.caller, f"{patient.reference}/$everything?_count=2")
    await territory.database.writing.execute("delete from access_grant")

    rest = await territory.call(gp.caller, first.next_path)

    assert rest.names == []


async def test_a_cursor_is_of_one_caller_and_one_call(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    other = await territory.person("gp")
    second = await territory.patient(gp, other)
    await territory.create(territory.system, territory.team(patient, [other]))
    first = await territory.call(gp.caller, f"{patient.reference}/$everything?_count=2")
    cursor = first.next_path.partition("?")[2]

    for caller, path in (
        (other.caller, first.next_path),
        (gp.caller, f"{second.reference}/$everything?{cursor}"),
        (gp.caller, f"Patient/$everything?{cursor}"),
        (gp.caller, f"Observation?{cursor}"),
    ):
        assert (await territory.ask(caller, "GET", path)).status == 410, path


@pytest.mark.parametrize(
    "asked", ["start=2026-03-02", "start=2026-02-10&end=2026-02-11", "end=2026-03-02", "_type=Observation"]
)
async def test_further_pages_ask_what_the_first_asked(read_record: tuple[Territory, Any, Any], asked: str) -> None:
    """blaze#2014: the next link had lost `start` and `end`, and the pages after it held the whole record."""
    territory, gp, patient = read_record
    whole = await territory.call(gp.caller, f"{patient.reference}/$everything?{asked}")
    everything = await territory.call(gp.caller, f"{patient.reference}/$everything")
    pages = await territory.pages(gp.caller, f"{patient.reference}/$everything?{asked}&_count=1")

    assert [name for page in pages for name in page.matches] == whole.matches
    assert 1 < len(whole.matches) < len(everything.matches)


@pytest.mark.parametrize(
    ("asked", "left_out"),
    [
        ("start=2026-03-03", {"weight1", "weight2", "stay", "problem"}),
        ("start=2026-03-02", {"weight1", "problem"}),
        ("end=2026-03-02", {"weight3", "weight4", "weight5"}),
        ("start=2026-02-10&end=2026-02-11", {"weight1", "weight2", "weight3", "weight4", "weight5", "problem"}),
        ("start=2020&end=2020", {"weight1", "weight2", "weight3", "weight4", "weight5", "stay"}),
    ],
)
async def test_care_dates(read_record: tuple[Territory, Any, Any], asked: str, left_out: set[str]) -> None:
    """A period counts as far as it reaches; what has no date is never outside."""
    territory, gp, patient = read_record
    found = await territory.call(gp.caller, f"{patient.reference}/$everything?{asked}")

    dated = {name for name in patient.made if name not in ("team", "information")}
    missing = {name for name in dated if patient.made[name] not in found.matches}
    assert missing == left_out
    assert patient.reference in found.matches
    assert patient.made["team"] in found.matches


_TIMES: dict[str, Tree] = {
    "events": {"event": ["2024-05-20", "2024-05-01"]},
    "event": {"event": ["2024-06-01T09:00:00Z"]},
    "bounds": {"repeat": {"boundsPeriod": {"start": "2024-07-01", "end": "2024-07-05"}}},
    "until": {"repeat": {"boundsPeriod": {"end": "2024-07-05"}}},
    "since": {"repeat": {"boundsPeriod": {"start": "2024-07-01"}}},
    "outer": {"repeat": {"boundsPeriod": {"start": "2024-05-15", "end": "2024-08-01"}}},
    "never": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
}


async def test_care_dates_are_those_that_a_search_by_date_reads(territory: Territory) -> None:
    """A schedule lies within from its first time to its last; a period too, whose open ends reach for ever."""
    gp = await territory.person("gp", await territory.organization("Maison"))
    patient = await territory.patient(gp)
    names: dict[str, str] = {}
    times: dict[str, Tree] = {name: {"effectiveTiming": one} for name, one in _TIMES.items()}
    times |= {"period until": {"effectivePeriod": {"end": "2024-06-02"}}, "year": {"effectiveDateTime": "2024"}}
    weight: Tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **territory.vital()}
    weight["subject"] = {"reference": patient.reference}
    for name, one in times.items():
        names[await territory.create(territory.system, {**weight, **one})] = f"Observation {name}"
    for name, one in _TIMES.items():
        more: Tree = {"intent": "order", "status": "active", "code": {"text": "x"}, "occurrenceTiming": one}
        names[await territory.item(patient, "ServiceRequest", **more)] = f"ServiceRequest {name}"
    both: Tree = {"event": ["2024-06-10"], **_TIMES["outer"]}
    within = await territory.create(territory.system, {**weight, "effectiveTiming": both})
    for start in ("", "2024-03-02", "2024-05-10", "2024-06", "2024-07-03", "2024-07-05", "2024-07-06"):
        for end in ("", "2024-03-02", "2024-05-16", "2024-06-30", "2024-07-03", "2025"):
            outside: set[str] = set()
            for date in ("Observation?date", "ServiceRequest?occurrence"):
                for bound in (f"eb{start}" if start else "", f"sa{end}" if end else ""):
                    if bound:
                        path = f"{date}={bound}&subject={patient.reference}&_count=100"
                        outside |= set((await territory.call(gp.caller, path)).matches)
            asked = "&".join(f"{name}={value}" for name, value in (("start", start), ("end", end)) if value)
            found = await territory.call(gp.caller, f"{patient.reference}/$everything?{asked}")
            wanted = {name for reference, name in names.items() if reference not in outside}
            assert {names[one] for one in found.matches if one in names} == wanted, asked
            assert (within in found.matches) is ("Observation outer" in wanted), asked


async def test_types_and_since(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    only = await territory.call(gp.caller, f"{patient.reference}/$everything?_type=Condition,Practitioner")
    assert only.matches == [patient.made["problem"]]
    both = await territory.call(gp.caller, f"{patient.reference}/$everything?_type=Observation,Practitioner")
    assert sorted(both.names) == sorted([*(patient.made[f"weight{n}"] for n in range(1, 6)), gp.practitioner])

    changed = await territory.change(gp.caller, patient.made["problem"], note=[{"text": "x"}])
    since = dict(changed.headers) and (await territory.tree(patient.made["problem"]))["meta"]["lastUpdated"]
    later = await territory.call(gp.caller, f"{patient.reference}/$everything?_since={since}")
    assert patient.made["problem"] in later.matches
    assert patient.reference not in later.matches
    assert patient.made["weight1"] not in later.matches


async def test_post_is_get(read_record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = read_record
    by_get = await territory.call(gp.caller, f"{patient.reference}/$everything?_type=Observation&_count=2")
    by_post = await territory.call(
        gp.caller,
        f"{patient.reference}/$everything",
        parameters(_type__valueCode="Observation", _count__valueInteger=2),
    )

    assert by_post.names == by_get.names
    assert by_post.next is not None


async def test_over_all_patients(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    second, third = await territory.patient(gp), await territory.patient(gp)
    stranger = await territory.patient(await territory.person("gp"))
    await territory.item(stranger)
    second.made["weight"] = await territory.item(second, performer=[{"reference": gp.practitioner}])
    whole = await territory.call(gp.caller, "Patient/$everything")
    own = {one for p in (patient, second, third) for one in (p.reference, *p.made.values())}

    assert set(whole.matches) == own
    assert len(whole.names) == len(set(whole.names))
    for count in (1, 3, 5):
        pages = await territory.pages(gp.caller, f"Patient/$everything?_count={count}")
        assert [name for page in pages for name in page.matches] == whole.matches
        assert sorted(name for page in pages for name in page.names) == sorted(whole.names)


async def test_the_journal_has_each_patient_and_the_question(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    second = await territory.patient(gp)
    before = len(await territory.journaled())
    answer = (await territory.call(gp.caller, "Patient/$everything")).answer
    entries = [one for one in await territory.journaled(before) if one[0] == 5]

    numbers = {territory.key(patient.reference).patient, territory.key(second.reference).patient}
    assert sorted(entries) == sorted([(5, 0), *((5, number) for number in numbers)])
    assert {one.key.patient for one in answer.disclosed} == {0, *numbers}
    assert len(answer.disclosed) == len(set(answer.disclosed))


async def test_what_the_caller_may_not_see_is_not_there(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    hidden = await territory.create(
        territory.system,
        territory.item_of(patient, "Communication", meta={"security": territory.classes("PROT")}),
    )
    found = await territory.call(gp.caller, f"{patient.reference}/$everything")

    assert hidden not in found.names
    assert set(found.matches) == {patient.reference, *patient.made.values()}
    assert hidden in (await territory.call(territory.system, f"{patient.reference}/$everything")).names


async def test_a_stranger_is_told_what_is_told_of_nobody(record: tuple[Territory, Any, Any]) -> None:
    territory, _, patient = record
    stranger = await territory.person("gp")
    encounter = patient.made["stay"]
    for path in (
        f"{patient.reference}/$everything",
        f"{encounter}/$everything",
        f"Patient/{encounter[10:]}/$everything",
    ):
        hidden = await territory.ask(stranger.caller, "GET", path)
        absent = await territory.ask(
            stranger.caller, "GET", f"{path.partition('/')[0]}/{'0123456789abcdef' * 2}/$everything"
        )
        assert (hidden.status, hidden.body) == (404, absent.body)
    everyone = await territory.call(stranger.caller, "Patient/$everything")
    assert everyone.names == [] and everyone.tree["total"] == 0


async def test_scopes_narrow_by_type_and_criteria(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    lab = await territory.item(patient, effectiveDateTime="2026-03-01")
    narrow = territory.scoped(gp.caller, "user/Patient.r user/Observation.rs?category=vital-signs user/Practitioner.r")
    found = await territory.call(narrow, f"{patient.reference}/$everything")

    assert set(found.names) == {patient.reference, gp.practitioner, *(patient.made[f"weight{n}"] for n in range(1, 6))}
    assert lab not in found.names
    refused = await territory.ask(narrow, "GET", f"{patient.reference}/$everything?_type=Condition")
    assert refused.status == 403 and b"Condition" in refused.body
    without = territory.scoped(gp.caller, "user/Observation.rs")
    assert (await territory.ask(without, "GET", f"{patient.reference}/$everything")).status == 403
    outside = territory.scoped(gp.caller, "user/Patient.rs?gender=female user/Observation.rs")
    assert (await territory.ask(outside, "GET", f"{patient.reference}/$everything")).status == 404
    assert (await territory.call(outside, "Patient/$everything")).names == []


async def test_of_an_encounter(record: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = record
    stay = patient.made["stay"]
    drug = {"resourceType": "Medication", "code": {"text": "Paracétamol"}}
    request = territory.item_of(patient, "MedicationRequest", encounter={"reference": stay})
    del request["medicationCodeableConcept"]
    request["medicationReference"] = {"reference": "urn:uuid:drug"}
    request["requester"] = {"reference": gp.role}
    entries = [
        {"fullUrl": f"urn:uuid:{name}", "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for name, tree in (("drug", drug), ("request", request))
    ]
    answer = await territory.ask(
        territory.system, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )
    assert answer.status == 200
    problem = await territory.item(patient, "Condition", encounter={"reference": stay})
    other = await territory.item(patient, "Encounter")
    elsewhere = await territory.item(patient, "Condition", encounter={"reference": other})

    found = await territory.call(gp.caller, f"{stay}/$everything")
    types = [name.partition("/")[0] for name in found.names]

    assert found.names[0] == stay
    assert problem in found.matches and elsewhere not in found.names and other not in found.names
    assert sorted(types) == sorted(
        ["Encounter", "Condition", "MedicationRequest", "Medication", "Patient", "Organization",
         "PractitionerRole", "Practitioner"])  # fmt: skip
    pages = await territory.pages(gp.caller, f"{stay}/$everything?_count=2")
    assert [name for page in pages for name in page.names] == found.names
    only = await territory.call(gp.caller, f"{stay}/$everything?_type=Condition,Patient")
    assert only.names == [problem, patient.reference]
    for unknown in ("start", "end"):
        refused = await territory.ask(gp.caller, "GET", f"{stay}/$everything?{unknown}=2026-01-01")
        assert refused.status == 400 and unknown.encode() in refused.body
