"""A line for each shape of search: how long it takes (p50, p95, one client), and how it is answered.

What is asked is sampled from the records that the doctor sees, always the same sample. A shape that finds nothing for
anybody measures nothing, and stops the run. How it is answered: which indexes of PostgreSQL its statements walk, and how
many candidates are decided after decryption.
"""

import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import asyncpg
import httpx
from tests.bench.territory import CODES

from liaison.auth.caller import Caller
from liaison.fhir.search.decide import Budget
from liaison.fhir.store.contract import Request
from liaison.fhir.store.lanes import PLANNING
from liaison.services.house import House

Tree = dict[str, Any]
Fetch = Callable[..., Awaitable[list[Any]]]
ANSWERS: Final = 60
"""Requests of each shape that are timed."""


class Sent(NamedTuple):
    """A statement of the service. `planned`: for its arguments, not once and kept (store.lanes)."""

    text: str
    arguments: tuple[Any, ...]
    planned: bool


@dataclass(frozen=True)
class Shape:
    """`path` has places of a person in braces. `once`: asked of all records, not of one. `empty`: may find nothing."""

    name: str
    path: str
    once: bool = False
    empty: bool = False


OF_ONE: Final = "patient={patient}"
SHAPES: Final = (
    # by the type of the parameter
    Shape("token", f"Observation?{OF_ONE}&code={{code}}&_sort=-date"),
    Shape("token, system only", f"Observation?{OF_ONE}&code=http://loinc.org|"),
    Shape("token, one of several", f"Observation?{OF_ONE}&code={{code}},8302-2,29463-7&status=final,amended"),
    Shape("token :not", f"Observation?{OF_ONE}&code:not={{code}}"),
    Shape("token :text", f"Condition?{OF_ONE}&code:text={{words}}"),
    Shape("token :of-type", "Patient?identifier:of-type={typed}"),
    Shape("token :in", f"Observation?{OF_ONE}&code:in={{set}}"),
    Shape("token :not-in", f"Observation?{OF_ONE}&code:not-in={{set}}"),
    Shape("token :below", f"Observation?{OF_ONE}&code:below=http://loinc.org|bench"),
    Shape("token :above", f"Observation?{OF_ONE}&code:above=http://loinc.org|{CODES[0]}"),
    Shape("date, range", f"Observation?{OF_ONE}&date=ge{{from}}&date=lt{{to}}"),
    Shape("date, eq", f"Observation?{OF_ONE}&date={{from}}"),
    Shape("date, ne", f"Observation?{OF_ONE}&date=ne{{from}}", empty=True),
    Shape("date, gt and le", f"Observation?{OF_ONE}&date=gt{{before}}&date=le{{from}}"),
    Shape("date, sa and eb", f"Observation?{OF_ONE}&date=sa{{before}}&date=eb{{to}}"),
    Shape("date, ap", f"Observation?{OF_ONE}&date=ap{{from}}"),
    Shape("date of people", "Patient?birthdate={birth}"),
    Shape("string, start", "Patient?family={start}"),
    Shape("string :exact", "Patient?family:exact={family}"),
    Shape("string :contains", "Patient?name:contains={middle}"),
    Shape("string :text", "Patient?name:text={family}"),
    Shape("reference", f"Observation?{OF_ONE}&encounter={{encounter}}"),
    Shape("reference :[type]", "Observation?subject:Patient={patient}"),
    Shape("reference :below", f"Observation?{OF_ONE}&encounter:below={{encounter}}"),
    Shape("reference :above", f"Observation?{OF_ONE}&encounter:above={{encounter}}"),
    Shape("reference :identifier", f"Encounter?{OF_ONE}&participant:identifier={{npi}}", empty=True),
    Shape("quantity", f"Observation?{OF_ONE}&value-quantity=gt{{value}}"),
    Shape("quantity, eq in UCUM", f"Observation?{OF_ONE}&value-quantity={{measure}}"),
    Shape("quantity, ne", f"Observation?{OF_ONE}&value-quantity=ne{{value}}"),
    Shape("quantity, le and ge", f"Observation?{OF_ONE}&value-quantity=le{{measure}}&value-quantity=ge{{value}}"),
    Shape("quantity, ap", f"Observation?{OF_ONE}&value-quantity=ap{{measure}}"),
    Shape("quantity, lt, sa and eb", f"Observation?{OF_ONE}&value-quantity=lt9999&value-quantity=sa0&value-quantity=eb9999"),
    Shape("number", f"RiskAssessment?{OF_ONE}&probability=gt0.1", empty=True),
    Shape("composite", f"Observation?{OF_ONE}&code-value-quantity={{code}}$gt{{value}}"),
    Shape("_profile", f"Observation?{OF_ONE}&_profile={{profile}}"),
    Shape("uri :below", f"Observation?{OF_ONE}&_profile:below={{profile}}"),
    Shape("uri :above", f"Observation?{OF_ONE}&_profile:above={{profile}}", empty=True),
    Shape("near", "Location?near=42.36|-71.06|50|km", once=True, empty=True),
    Shape(":missing", f"Observation?{OF_ONE}&encounter:missing=true", empty=True),
    Shape("_id", "Patient?_id={patient}"),
    Shape("_lastUpdated", f"Observation?{OF_ONE}&_lastUpdated=gt2020"),
    Shape("_tag", f"Observation?{OF_ONE}&_tag=none", empty=True),
    Shape("_security", f"Observation?{OF_ONE}&_security=none", empty=True),
    Shape("_source", f"Observation?{OF_ONE}&_source=urn:none", empty=True),
    Shape("_list", f"Observation?{OF_ONE}&_list={{encounter}}", empty=True),
    Shape("_text", "Patient?_id={patient}&_text=synthea"),
    Shape("_content", f"Condition?{OF_ONE}&_content={{words}}"),
    Shape("identifier", "Patient?identifier={identifier}"),
    # through references
    Shape("chain", f"Observation?{OF_ONE}&encounter.class={{class}}"),
    Shape("chain to the directory", f"Encounter?{OF_ONE}&participant:Practitioner.family={{doctor}}"),
    Shape("chain of two", f"Observation?{OF_ONE}&encounter.participant:Practitioner.family={{doctor}}"),
    Shape("chain of four", f"Observation?{OF_ONE}&encounter.service-provider.partof.partof.name=x", empty=True),
    Shape("_has", "Patient?_id={patient}&_has:Observation:patient:code={code}"),
    Shape("_has of two", "Patient?_id={patient}&_has:Encounter:patient:_has:Observation:encounter:code={code}"),
    Shape("_has, a chain within", "Patient?_id={patient}&_has:Observation:patient:encounter.class={class}"),
    Shape("_include, two", f"Encounter?{OF_ONE}&_include=Encounter:patient&_include=Encounter:participant"),
    Shape("_include:iterate", f"Observation?{OF_ONE}&code={{code}}&_include=Observation:encounter&_include:iterate=Encounter:participant"),
    Shape("_include, wildcard", f"Observation?{OF_ONE}&code={{code}}&_include=Observation:*"),
    Shape("_include, of any type", f"Observation?{OF_ONE}&code={{code}}&_include=*"),
    Shape("_revinclude", "Encounter?_id={encounter}&_revinclude=Observation:encounter"),
    Shape("_revinclude:iterate", "Encounter?_id={encounter}&_revinclude:iterate=Observation:encounter&_revinclude:iterate=Observation:has-member"),
    Shape("_revinclude, wildcard", "Encounter?_id={encounter}&_revinclude=*"),
    # the result
    Shape("_sort by a token", f"Condition?{OF_ONE}&_sort=clinical-status,-onset-date"),
    Shape("_sort by a string", f"Observation?{OF_ONE}&code={{code}}&_sort=value-string,patient.family"),
    Shape("_sort by several keys", f"Observation?{OF_ONE}&_sort=-date,code,_id"),
    Shape("_sort by a quantity", f"Observation?{OF_ONE}&code={{code}}&_sort=-value-quantity"),
    Shape("_sort by a number", f"RiskAssessment?{OF_ONE}&_sort=probability", empty=True),
    Shape("_sort by a reference", f"Observation?{OF_ONE}&code={{code}}&_sort=encounter"),
    Shape("_sort by a uri", f"Observation?{OF_ONE}&code={{code}}&_sort=_profile"),
    Shape("_sort, chained", f"Observation?{OF_ONE}&code={{code}}&_sort=encounter.class"),
    Shape("_total=accurate", f"Observation?{OF_ONE}&_total=accurate&_count=5"),
    Shape("_total=estimate", f"Observation?{OF_ONE}&_total=estimate&_count=5"),
    Shape("_summary=count", f"Observation?{OF_ONE}&_summary=count"),
    Shape("_summary=true", f"Observation?{OF_ONE}&_summary=true"),
    Shape("_summary=text", f"Observation?{OF_ONE}&_summary=text"),
    Shape("_summary=data", f"Observation?{OF_ONE}&_summary=data"),
    Shape("_elements", f"Observation?{OF_ONE}&_elements=code,value"),
    Shape("second page", f"Observation?{OF_ONE}&_count=10&page=next"),
    Shape("previous page", f"Observation?{OF_ONE}&_count=10&page=next,previous"),
    Shape("previous page of a list", f"Observation?{OF_ONE}&_sort=code&_count=10&page=next,previous"),
    # filters
    Shape("_filter in SQL", f"Observation?{OF_ONE}&_filter=code eq {{code}} or date lt {{from}}"),
    Shape("_filter, decrypted", f"Observation?{OF_ONE}&_filter=code eq {{code}} and not (value-quantity lt {{value}})"),
    Shape("_filter, path", f"Observation?{OF_ONE}&_filter=encounter[class eq {{class}}].participant.family pr true"),
    # wider than one type
    Shape("several types", "?_type=Condition,Observation,Procedure&patient={patient}"),
    Shape("compartment, a type", "Patient/{patient}/Observation?code={code}"),
    Shape("compartment, all", "Patient/{patient}/*?_count=50"),
    Shape("compartment, of a stay", "Encounter/{encounter}/Observation"),
    Shape("every type", "?_id={patient},{encounter}"),
    Shape("parameter added", f"Observation?{OF_ONE}&bench-device={{code}}"),
    # over everybody the doctor follows
    Shape("all: token and date", "Observation?code={code}&_sort=-date", once=True),
    Shape("all: _has", "Patient?_has:Observation:patient:code={code}", once=True),
    Shape("all: count", "Observation?_summary=count", once=True),
)  # fmt: skip

PARAMETER: Final = {
    "resourceType": "SearchParameter",
    "url": "https://liaison.test/SearchParameter/bench-device",
    "name": "BenchDevice",
    "status": "active",
    "description": "Codes once more, by a parameter that is not R4's",
    "code": "bench-device",
    "base": ["Observation"],
    "type": "token",
    "expression": "Observation.code",
}


async def places(
    client: httpx.AsyncClient, patients: Sequence[Tree], renewed: Callable[[], Awaitable[Mapping[str, str]]]
) -> list[dict[str, str]]:
    """What is asked of each person: only people of whom every place is known. `renewed` as for `measured`."""
    found = []
    for patient in patients:
        client.headers.update(await renewed())
        id_ = patient["id"]
        seen = {
            type_: await _page(client, f"{type_}?patient={id_}&_count=200&_include={type_}:*")
            for type_ in ("Observation", "Condition", "Encounter")
        }
        if one := _places(patient, seen):
            found.append({name: quote(text, safe="") for name, text in one.items()})
    if not found:
        raise RuntimeError("nobody of whom everything can be asked")
    return found


async def _page(client: httpx.AsyncClient, path: str) -> list[Tree]:
    answer = await client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.text[:300]}")
    return [entry["resource"] for entry in answer.json().get("entry", ())]


def _places(patient: Tree, seen: Mapping[str, Sequence[Tree]]) -> dict[str, str]:
    measured = [one for one in seen["Observation"] if "valueQuantity" in one and "encounter" in one]
    doctors = [one for one in seen["Encounter"] if one["resourceType"] == "Practitioner"]
    stays = {one["id"]: one for one in seen["Encounter"] if one["resourceType"] == "Encounter"}
    conditions = [one for one in seen["Condition"] if one["resourceType"] == "Condition"]
    measured = [one for one in measured if one["encounter"]["reference"].rpartition("/")[2] in stays]
    if not (measured and doctors and conditions):
        return {}
    one = measured[0]
    stay = stays[one["encounter"]["reference"].rpartition("/")[2]]
    led = {part["individual"]["reference"].rpartition("/")[2] for part in stay.get("participant", ())}
    doctor = next((each for each in doctors if each["id"] in led), doctors[0])
    family = patient["name"][0]["family"]
    year = int(one["effectiveDateTime"][:4])
    coding = one["code"]["coding"][0]
    measure = one["valueQuantity"]
    numbered = patient["identifier"][1]
    typed = numbered["type"]["coding"][0]
    return {
        "patient": patient["id"],
        "code": f"{coding['system']}|{coding['code']}",
        "words": conditions[0]["code"]["text"].split()[0],
        "typed": f"{typed['system']}|{typed['code']}|{numbered['value']}",
        "identifier": f"{numbered['system']}|{numbered['value']}",
        "set": "https://liaison.test/ValueSet/bench",
        "before": f"{year - 1}",
        "from": f"{year}",
        "to": f"{year + 1}",
        "birth": patient["birthDate"],
        "family": family,
        "start": family[:4],
        "middle": family[1:5],
        "encounter": stay["id"],
        "class": stay["class"]["code"],
        "npi": doctor["identifier"][0]["value"],
        "doctor": doctor["name"][0]["family"],
        "measure": "|".join(str(measure[part]) for part in ("value", "system", "code")),
        "value": str(one["valueQuantity"]["value"] // 2),
        "profile": one["meta"]["profile"][0] if one.get("meta", {}).get("profile") else "none",
    }


async def measured(
    house: House,
    caller: Caller,
    client: httpx.AsyncClient,
    people: Sequence[Mapping[str, str]],
    renewed: Callable[[], Awaitable[Mapping[str, str]]],
) -> list[tuple[str, str, str]]:
    """A row for each shape: its name, its times, and how it is answered. `renewed` gives the header with a new token: one
    is good for five minutes, which all shapes together take on a busy machine."""
    rows = []
    for shape in SHAPES:
        client.headers.update(await renewed())
        asked = await asked_of(client, shape, people)
        times, entries = await _timed(client, asked)
        if not entries and not shape.empty:
            raise RuntimeError(f"{shape.name}: nothing is found by {asked[0]}")
        quantiles = statistics.quantiles(times, n=20)
        told = f"p50 {statistics.median(times):.1f} ms, p95 {quantiles[18]:.1f} ms"
        rows.append((f"search: {shape.name}", told, await answered(house, caller, asked[0])))
    return rows


async def asked_of(client: httpx.AsyncClient, shape: Shape, people: Sequence[Mapping[str, str]]) -> list[str]:
    """What a shape asks of each of these people, of whom it can be asked."""
    asked = [shape.path.format(**one) for one in (people[:1] if shape.once else people)]
    asked = [await _page_of(client, *path.split("&page=")) if "&page=" in path else path for path in asked]
    return [path for path in asked if path]


async def _page_of(client: httpx.AsyncClient, path: str, way: str) -> str:
    """The page that these links lead to from the first one; '' when there is none."""
    for relation in way.split(","):
        links = {link["relation"]: link["url"] for link in (await client.get(path)).json()["link"]}
        path = str(links.get(relation, "")).partition("/fhir/")[2]
        if not path:
            break
    return path


async def _timed(client: httpx.AsyncClient, asked: Sequence[str]) -> tuple[list[float], int]:
    times, entries = [], 0
    for turn in range(max(ANSWERS, len(asked))):
        path = asked[turn % len(asked)]
        began = time.perf_counter()
        answer = await client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.text[:300]}")
        if turn < len(asked):
            bundle = answer.json()
            entries += len(bundle.get("entry", ())) or bundle.get("total", 0)
    return times, entries


async def answered(house: House, caller: Caller, path: str) -> str:
    """The indexes that its statements walk, how many statements there are, and how many candidates were decided after decryption."""
    sent: list[Sent] = []
    opened = 0
    lanes, spend = house.store.lanes, Budget.spend
    fetches = {"fetch": lanes.fetch, "fetch_planned": lanes.fetch_planned}

    def watched(name: str, fetch: Fetch) -> Fetch:
        async def noted(text: str, *arguments: Any) -> list[Any]:
            sent.append(Sent(text, arguments, name == "fetch_planned"))
            return await fetch(text, *arguments)

        return noted

    def counted(budget: Budget, count: int) -> None:
        nonlocal opened
        opened += count
        spend(budget, count)

    for name, fetch in fetches.items():
        setattr(lanes, name, watched(name, fetch))
    Budget.spend = counted  # type: ignore[method-assign,assignment]  # counted for one request
    try:
        where, _, query = path.partition("?")
        answer = await house.engine.handle(caller, Request("GET", where, query))
    finally:
        for name in fetches:
            delattr(lanes, name)
        Budget.spend = spend  # type: ignore[method-assign]  # as it was
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.body[:300]!r}")
    walked = await _walked(house, sent)
    decided = f"; {opened} decided after decryption" if opened else ""
    return f"{len(sent)} statements; {', '.join(walked) or 'no index'}{decided}"


async def _walked(house: House, sent: Iterable[Sent]) -> list[str]:
    """Each index of the record that the plans name, in the order met, or a table read whole."""
    found: dict[str, None] = {}
    async with house.database.reading.acquire() as one:
        await one.execute(PLANNING)
        try:
            for each in sent:
                for node in _nodes(json.loads(await _explained(one, each))[0]["Plan"]):
                    table = node.get("Relation Name", "")
                    if table.startswith(("version", "index_", "directory_", "identity_", "referring")):
                        found[node.get("Index Name") or f"{table} read whole"] = None
        finally:
            await one.execute("reset all")
    return list(found)


async def _explained(one: asyncpg.Connection, sent: Sent) -> str:
    """The plan that the service runs: the kept one of a prepared statement, which knows no arguments, or one for these."""
    if sent.planned:
        return str(await one.fetchval(f"explain (format json) {sent.text}", *sent.arguments))
    await one.execute(f"prepare shape as {sent.text}")
    try:
        given = f"({', '.join('null' for _ in sent.arguments)})" if sent.arguments else ""
        return str(await one.fetchval(f"explain (format json) execute shape{given}"))
    finally:
        await one.execute("deallocate shape")


def _nodes(node: Tree) -> Iterable[Tree]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
