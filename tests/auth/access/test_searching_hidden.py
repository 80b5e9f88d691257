"""What refers to an item that the caller may not know of is found as though the reference did not stand in it: on whatever
path, with totals, orders and pages that agree."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from liaison.fhir.search import withheld

from .pieces import label, moment
from .test_naming_sensitive import referring

Tree = dict[str, Any]
SYSTEM = "urn:of-a-reference"


@dataclass
class World:
    gp: Any
    nurse: Any
    patient: Any
    hidden: str
    seen: str
    made: dict[str, str]

    def name(self, reference: str) -> str:
        return next((name for name, one in self.made.items() if one == reference), reference)


def narrative(words: str) -> Tree:
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}


def report(patient: Any, results: list[Tree], **more: Any) -> Tree:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": patient.reference},
        "result": results,
        **more,
    }


@pytest.fixture(scope="module")
async def world(shared_territory: Any) -> World:
    """Reports of the hidden item alone, of it and another, of the other, and of none; and other things that name it."""
    territory = shared_territory
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient, elsewhere = await territory.patient(gp, nurse), await territory.patient(gp, nurse)
    code = {"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}}
    hidden = await territory.create(gp.caller, territory.item_of(patient, **code, **label("SENS")))
    seen = await territory.create(gp.caller, territory.item_of(patient, **code))
    named = {
        "hidden": {"reference": hidden, "identifier": {"system": SYSTEM, "value": "hidden"}},
        "seen": {"reference": seen, "identifier": {"system": SYSTEM, "value": "seen"}},
    }
    reports = {
        "alone": ["hidden"],
        "both": ["hidden", "seen"],
        "other": ["seen"],
    }
    made = {}
    for day, (name, results) in enumerate(reports.items(), 1):
        dated = {"effectiveDateTime": f"2026-03-0{day}", "text": narrative("narrated")}
        tree = report(patient, [named[one] for one in results], **dated)
        made[name] = await territory.create(gp.caller, tree)
    bare = report(patient, [], effectiveDateTime="2026-03-04")
    del bare["result"]
    made["bare"] = await territory.create(gp.caller, bare)
    made["strange"] = await territory.create(gp.caller, {**bare, "subject": {"reference": elsewhere.reference}})
    for name, element in (
        ("list", "List.entry.item"), ("composition", "Composition.section.entry"), ("derived", "Observation.derivedFrom"),
        ("task", "Task.focus"), ("plan", "CarePlan.supportingInfo"), ("order", "ServiceRequest.reasonReference"),
        ("note", "Communication.payload"), ("document", "DocumentReference.content.attachment.url"),
    ):  # fmt: skip
        made[name] = await territory.create(gp.caller, referring(element, hidden, patient, gp.role))
    # As closed as it is, by its labels: but what the psychiatric stay closes is closed by what is around it.
    stay = await territory.item(patient, "Encounter", **label("PSY"))
    closed = await territory.item(patient, "Condition", encounter={"reference": stay})
    told = {
        "resourceType": "Provenance", "target": [{"reference": closed}], "recorded": moment(),
        "agent": [{"who": {"reference": gp.role}}],
    }  # fmt: skip
    made["told"] = await territory.create(territory.system, told)
    made["closed"] = closed
    return World(gp, nurse, patient, hidden, seen, made)


# By query: what it finds for who sees the item, and for who does not. `{h}` is that item, `{s}` another.
ALL = "alone both other bare"
ASKED = {
    "result={h}": ("alone both", ""),
    "result=Observation/{h_id}": ("alone both", ""),
    "result={h_id}": ("alone both", ""),
    "result={s}": ("both other", "both other"),
    "result={h},{s}": ("alone both other", "both other"),
    "result={h}&result={s}": ("both", ""),
    "result:missing=true": ("bare", "alone bare"),
    "result:missing=false": ("alone both other", "both other"),
    f"result:identifier={SYSTEM}|hidden": ("alone both", ""),
    f"result:identifier={SYSTEM}|seen": ("both other", "both other"),
    "result.code=718-7": ("alone both other", "both other"),
    "result:Observation.status=final": ("alone both other", "both other"),
    "result._id={h_id}": ("alone both", ""),
    "_filter=result eq {h}": ("alone both", ""),
    "_filter=not (result eq {h})": ("other bare", ALL),
    "_filter=result ne {s}": ("alone both", ""),
    "_filter=result pr true": ("alone both other", "both other"),
    "_filter=result pr false": ("bare", "alone bare"),
    "_filter=result eq {h} or result eq {s}": ("alone both other", "both other"),
    "_filter=not (result.code eq 718-7)": ("bare", "alone bare"),
    "_filter=not (result eq {h}) and date ge 2026-03-02": ("other bare", "both other bare"),
    "_text=narrated": ("alone both other", "other"),
    "_content=narrated": ("alone both other", "other"),
    "_tag:not=http://terminology.hl7.org/CodeSystem/v3-ObservationValue|SUBSETTED": (ALL, ALL),
    "status=final": (ALL, ALL),
    "status:not=amended": (ALL, ALL),
}


def asked(world: World, query: str) -> str:
    said = query.format(h=world.hidden, h_id=world.hidden.partition("/")[2], s=world.seen)
    return "&".join(f"{name}={quote(value)}" for name, _, value in (pair.partition("=") for pair in said.split("&")))


async def pages(territory: Any, caller: Any, path: str) -> tuple[list[str], set[Any]]:
    """The matches over all pages, and the totals that these state."""
    found, totals = [], set()
    while path:
        answer = await territory.ask(caller, "GET", path)
        assert answer.status == 200, answer.body
        bundle = json.loads(answer.body)
        totals.add(bundle.get("total"))
        found += [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ())]
        following = [one["url"] for one in bundle.get("link", ()) if one["relation"] == "next"]
        path = following[0].partition("/fhir/")[2] if following else ""
    return found, totals


@pytest.mark.parametrize("of", ["one", "everyone"])
@pytest.mark.parametrize("query", ASKED)
async def test_it_is_found_as_though_the_reference_did_not_stand_there(
    territory: Any, world: World, query: str, of: str
) -> None:
    """In one record, and over all of the caller's: two ways to ask SQL."""
    base = f"DiagnosticReport?{asked(world, query)}" + (f"&patient={world.patient.reference}" if of == "one" else "")
    more = {"strange"} if of == "everyone" else set()
    for caller, wanted in zip((world.gp.caller, world.nurse.caller), ASKED[query], strict=True):
        names = set(wanted.split()) | (more if "bare" in wanted else set())
        for form in ("&_total=accurate&_count=1", "&_total=accurate", "&_sort=-date&_total=accurate&_count=2",
                     "&_sort=result&_total=accurate&_count=2"):  # fmt: skip
            found, totals = await pages(territory, caller, base + form)
            assert {world.name(one) for one in found} == names, form
            assert len(found) == len(names), form
            assert totals == {len(names)}, form
        counted = json.loads((await territory.ask(caller, "GET", f"{base}&_summary=count")).body)
        assert counted["total"] == len(names)


ELSEWHERE = {
    "Observation?derived-from={h}": "derived",
    "List?item={h}": "list",
    "Composition?entry={h}": "composition",
    "DocumentReference?location={h}": "document",
    "Task?focus={h}": "task",
    "Patient?_has:DiagnosticReport:patient:result={h}": "patient",
    "Patient?_has:Task:patient:focus={h}": "patient",
    "Patient?_has:DiagnosticReport:patient:_filter=result eq {h}": "patient",
    "Provenance?target={closed}": "told",
    "Provenance?target:Condition={closed_id}": "told",
    "Provenance?target.encounter:missing=false": "told",
    "_type=DiagnosticReport,Task&_filter=status eq x or _id eq {h_id}": "",
    "Observation?_has:DiagnosticReport:result:status=final&_id={h_id}": "hidden",
    "{patient}/Observation?derived-from={h}": "derived",
    "Observation?_list={list_id}&_id={h_id}": "hidden",
}


@pytest.mark.parametrize("query", ELSEWHERE)
async def test_so_it_is_from_everything_that_names_it(territory: Any, world: World, query: str) -> None:
    path, _, text = query.partition("?") if "?" in query else ("", "", query)
    names = {
        "h": world.hidden, "h_id": world.hidden.partition("/")[2], "patient": world.patient.reference,
        "closed": world.made["closed"], "closed_id": world.made["closed"].partition("/")[2],
        "list_id": world.made["list"].partition("/")[2],
    }  # fmt: skip
    name, _, value = text.format(**names).partition("=")
    path = f"{path.format(**names)}?{name}={'&'.join(quote(one, safe='=') for one in value.split('&'))}"
    here = {**world.made, "patient": world.patient.reference, "hidden": world.hidden}
    wanted = [here[ELSEWHERE[query]]] if ELSEWHERE[query] else []
    # What psychiatry closed is seen by the system alone here.
    knows = territory.system if "closed" in query or "target" in query else world.gp.caller

    assert (await pages(territory, knows, f"{path}&_total=accurate"))[0] == wanted
    assert await pages(territory, world.nurse.caller, f"{path}&_total=accurate") == ([], {0})


async def test_the_owner_is_found_by_another_that_matches(territory: Any, world: World) -> None:
    """One look says whose records hold a match: the row that it meets first may be none."""
    base = f"Patient?_id={world.patient.id}&_has:DiagnosticReport:patient:"
    for query, found in (
        (f"result={world.seen}", True),
        ("result:missing=true", True),
        (f"result={world.hidden},{world.seen}", True),
        (f"result={world.hidden}", False),
    ):
        matches = await territory.search(world.nurse.caller, base + query)
        assert bool(matches) is found, query


async def test_an_order_by_the_reference_tells_nothing(territory: Any, world: World) -> None:
    """Without a value of its own, a report of the hidden item alone stands where one of nothing stands."""
    path = f"DiagnosticReport?patient={world.patient.reference}&_sort=result"
    found = [world.name(one) for one in await territory.search(world.nurse.caller, path)]
    assert set(found[:2]) == {"alone", "bare"}
    for direction in ("", "-"):
        chained = path.replace("_sort=result", f"_sort={direction}result.code")
        found = [world.name(one) for one in await territory.search(world.nurse.caller, chained)]
        assert set(found[:2] if not direction else found[2:]) == {"alone", "bare"}


async def test_nothing_is_included_by_it(territory: Any, world: World) -> None:
    for query in ("_include=DiagnosticReport:result", "_include=*", "_revinclude=*", "_include:iterate=*"):
        path = f"DiagnosticReport?patient={world.patient.reference}&{query}"
        assert world.hidden not in await territory.search(world.nurse.caller, path)
    assert world.hidden in await territory.search(
        world.gp.caller, f"DiagnosticReport?patient={world.patient.reference}&_include=DiagnosticReport:result"
    )


async def test_a_condition_of_a_write_does_not_meet_it(territory: Any, world: World) -> None:
    tree = report(world.patient, [{"reference": world.seen}], code={"text": "new"})
    criteria = f"result={world.hidden}&patient={world.patient.reference}"
    answer = await territory.ask(world.nurse.caller, "POST", "DiagnosticReport", tree, if_none_exist=criteria)
    assert answer.status == 201
    created = f"DiagnosticReport/{json.loads(answer.body)['id']}"
    assert (await territory.ask(territory.system, "DELETE", created)).status == 204
    none = await territory.ask(world.nurse.caller, "DELETE", f"DiagnosticReport?{criteria}")
    absent = await territory.ask(
        world.nurse.caller,
        "DELETE",
        f"DiagnosticReport?result=Observation/{'0' * 32}&patient={world.patient.reference}",
    )
    assert (none.status, none.body) == (absent.status, absent.body)
    assert await territory.sees(world.gp.caller, world.made["alone"])


async def test_without_settling_it_is_found(territory: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(withheld, "holds", lambda condition, row, tree, key_of: True)
    assert world.made["alone"] in await territory.search(world.nurse.caller, f"DiagnosticReport?result={world.hidden}")


async def _statements(territory: Any, caller: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the base is asked, in turn, to answer; but for what is asked of it now and then, whoever searches."""
    asked: list[str] = []
    lane, pool = type(territory.store.lanes), type(territory.store.database.reading)
    for owner in (lane, pool):
        plain = owner.fetch

        async def noted(self: Any, text: str, *given: Any, _plain: Any = plain, **more: Any) -> Any:
            if not text.strip().startswith(("select revision from", "select count(*) from reindexing")):
                asked.append(text)
            return await _plain(self, text, *given, **more)

        monkeypatch.setattr(owner, "fetch", noted)
    answer = await territory.ask(caller, "GET", path)
    monkeypatch.undo()
    assert (answer.status, json.loads(answer.body).get("entry")) == (200, None)
    return asked


@pytest.mark.parametrize("path", ["Observation?patient={}", "Condition?subject={}&code=x", "{}/Observation"])
async def test_a_search_by_somebody_hidden_asks_what_one_by_nobody_does(
    territory: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Otherwise the time that it takes tells that there is such a patient, and whether somebody works on the record."""
    gp, other = await territory.person("gp"), await territory.person("gp")
    await territory.patient(gp)
    hidden, at_work = await territory.patient(other), await territory.patient(other)
    number = territory.store.new_patient()
    nobody = f"Patient/{territory.store.id(territory.store.new_key(number, territory.key(hidden.reference).kind))}"
    assert await territory.sees(other.caller, at_work.reference)
    asked = []
    for named in (hidden.reference, at_work.reference, nobody):
        if named == hidden.reference:
            territory.store.vault.forget(territory.key(named).patient)
        for _ in range(2):
            asked.append(await _statements(territory, gp.caller, path.format(named), monkeypatch))

    assert asked[0]
    assert all(one == asked[0] for one in asked)


async def test_what_somebody_sees_of_a_named_patient_is_found_at_once_and_no_more_when_it_ends(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp)
    weight = await territory.item(patient)
    path = f"Observation?patient={patient.reference}&code=29463-7"
    assert await territory.search(nurse.caller, path) == []
    team = await territory.create(territory.system, territory.team(patient, [nurse]))
    assert await territory.search(nurse.caller, path) == [weight]
    assert (await territory.change(territory.system, team, status="inactive")).status == 200
    assert await territory.search(nurse.caller, path) == []
