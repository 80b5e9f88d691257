"""What the CapabilityStatement claims for every type (rest.searchParam), each tried where a wrong answer would differ."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from liaison.fhir.definitions import RESOURCE_TYPES, ownership
from liaison.fhir.interactions.capabilities import Elsewhere, Stated, capabilities
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.parse import parse
from liaison.fhir.search.system import types_of
from liaison.fhir.store.contract import Key

from .conftest import BASE, Territory

CLAIMED = {one["name"]: one for one in orjson.loads(capabilities(BASE).body)["rest"][0]["searchParam"]}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">alpha</div>'


async def _made(territory: Territory, patient: Key) -> dict[str, str]:
    """Two observations, a list and a report: what is asked for holds of the first alone."""
    meta = {
        "profile": ["http://p"], "tag": [{"system": "http://t", "code": "t"}], "source": "http://s",
        "security": [{"system": "http://l", "code": "l"}],
    }  # fmt: skip
    first = await territory.observation(
        patient, "1", at="2026-02-01", meta=meta, text={"status": "generated", "div": DIV}, valueString="beta"
    )
    second = await territory.observation(patient, "2", at="2026-01-01")
    subject = {"reference": f"Patient/{territory.id(patient)}"}
    item = {"item": {"reference": f"Observation/{territory.id(first)}"}}
    listed: dict[str, Any] = {"resourceType": "List", "status": "current", "mode": "working", "subject": subject}
    list_ = await territory.add({**listed, "entry": [item]}, patient)
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}, "subject": subject}
    made = await territory.add({**report, "result": [{"reference": item["item"]["reference"]}]}, patient)
    return {
        "first": territory.id(first),
        "second": territory.id(second),
        "list": territory.id(list_),
        "report": territory.id(made),
    }


QUERIES = {
    "_id": "_id={first}",
    "_lastUpdated": "_lastUpdated=lt{between}",
    "_profile": "_profile=http://p",
    "_tag": "_tag=http://t|t",
    "_security": "_security=http://l|l",
    "_source": "_source=http://s",
    "_text": "_text=alpha",
    "_content": "_content=beta",
    "_filter": "_filter=_id eq {first}",
    "_list": "_list={list}",
    "_has": "_has:DiagnosticReport:result:status=final",
    "_type": "_type=DiagnosticReport,Condition",
    "_sort": "_sort=-date&_count=1",
    "_count": "_count=1&_sort=-date",
    "_total": "_total=accurate&_id={first}",
    "_summary": "_summary=true&_id={first}",
    "_elements": "_elements=code&_id={first}",
    "_include": "_id={first}&_include=Observation:subject",
    "_revinclude": "_id={first}&_revinclude=DiagnosticReport:result",
}


async def test_each_does_what_is_claimed(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    assert QUERIES.keys() == CLAIMED.keys()
    ids = await _made(territory, patient)
    first = (await territory.search("Observation", f"_id={ids['second']}")).bundle["entry"][0]["resource"]
    ids["between"] = first["meta"]["lastUpdated"]
    for name, query in QUERIES.items():
        asked = "&".join(
            f"{one.partition('=')[0]}={quote(one.partition('=')[2].format(**ids))}" for one in query.split("&")
        )
        if name == "_type":
            assert (await territory.search("", asked)).ids == [ids["report"]]
            continue
        found = await territory.search("Observation", asked)
        assert found.ids == [ids["first"]], name
        resource = found.bundle["entry"][0]["resource"]
        assert ("valueString" in resource) is (name != "_elements"), name
        assert ("text" in resource) is (name not in ("_elements", "_summary")), name
        assert bool(found.included) is (name in ("_include", "_revinclude")), name
        assert (found.total == 1) or name in ("_sort", "_count"), name


def test_each_that_has_a_definition_names_it() -> None:
    without = {name for name, one in CLAIMED.items() if "definition" not in one}
    assert without == {"_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude"}
    assert all(one.keys() >= {"name", "type", "documentation"} for one in CLAIMED.values() if one["name"] in without)
    assert CLAIMED["_filter"]["definition"] == "http://hl7.org/fhir/SearchParameter/filter"
    assert CLAIMED["_text"]["definition"] == "http://hl7.org/fhir/SearchParameter/DomainResource-text"


def test_what_is_not_of_every_type_says_so() -> None:
    stated = Stated({}, {"AuditEvent": Elsewhere(("read",), (("date", "date"),))})
    told = orjson.loads(capabilities(BASE, (), stated).body)["rest"][0]["searchParam"]
    assert all("AuditEvent" in one["documentation"] for one in told)
    assert "Binary" in CLAIMED["_text"]["documentation"] and "Bundle" in CLAIMED["_text"]["documentation"]


@pytest.mark.parametrize("name", [one for one in QUERIES if one != "_type"])
def test_each_is_read_for_every_type(name: str) -> None:
    types: Sequence[str] = [one for one in RESOURCE_TYPES if ownership(one).rule != "never"]
    query = {
        "_has": ("_has:Provenance:target:_id", "x"), "_filter": ("_filter", "_id eq x"), "_include": ("_include", "*"),
        "_lastUpdated": ("_lastUpdated", "2026"), "_sort": ("_sort", "_id"), "_count": ("_count", "1"),
        "_total": ("_total", "none"), "_summary": ("_summary", "true"), "_elements": ("_elements", "id"),
        "_revinclude": ("_revinclude", "*"),
    }.get(name, (name, "x"))  # fmt: skip
    for type_ in types:
        if name == "_text" and type_ in ("Binary", "Bundle"):
            continue
        parse([query], Context(type_, BASE, datetime.now(UTC)))
    assert types_of("", [("_type", "Observation,Condition")]) == ("Observation", "Condition")
