"""What users of other servers reported, tried here: each test names the reports that it answers."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from liaison.services.house import House

from ..conftest import Person, alone
from .conftest import named_in_journal

pytestmark = pytest.mark.http

Weight = Callable[..., bytes]
SYSTEM = "urn:reported"


def made(gp: httpx.Client, body: bytes, **headers: str) -> str:
    answer = gp.post("/Observation", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def page(client: httpx.Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(bundle: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"]


def following(bundle: Any) -> str | None:
    """The next link, as a path of the client's own base."""
    links = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
    return f"/Observation?{links[0].partition('?')[2]}" if links else None


@pytest.fixture(scope="module")
def values(service: Any, gp: httpx.Client, weight: Weight) -> tuple[str, dict[str, str]]:
    """A patient whose weights have identifiers that begin alike, end alike and differ in case. Id by value."""
    patient, stem = service.patient(), uuid.uuid4().hex
    each = [stem, f"{stem}1", f"1{stem}", stem[:-1], stem[1:], stem.upper() + "X", stem + "x"]
    return patient, {
        value: made(gp, weight(patient, identifier=[{"system": SYSTEM, "value": value}])) for value in each
    }


def test_an_identifier_matches_whole_or_not_at_all(gp: httpx.Client, values: tuple[str, dict[str, str]]) -> None:
    """blaze#1685, blaze#2111: other resources came too. blaze#3103: what only began like the value matched."""
    patient, each = values
    for value, id_ in each.items():
        for asked in (value, f"{SYSTEM}|{value}"):
            assert ids(page(gp, f"/Observation?identifier={asked}&patient={patient}")) == [id_], asked
            assert ids(page(gp, f"/Observation?identifier={asked}")) == [id_], asked


def test_an_identifier_that_nobody_has_matches_nothing(gp: httpx.Client, values: tuple[str, dict[str, str]]) -> None:
    """blaze#2111: something came back though nothing had the identifier, and a conditional create was left out."""
    _, each = values
    whole = next(iter(each))
    for asked in (whole[:8], f"{SYSTEM}x|{whole}", f"{SYSTEM}|{whole}2", f"|{whole}", f"{SYSTEM}{whole}"):
        bundle = page(gp, f"/Observation?identifier={asked}&_total=accurate")
        assert (ids(bundle), bundle["total"]) == ([], 0), asked


def test_a_near_miss_does_not_keep_a_conditional_create_from_creating(
    gp: httpx.Client, weight: Weight, values: tuple[str, dict[str, str]]
) -> None:
    """blaze#2111: an ETL lost resources that way."""
    patient, each = values
    new = f"{next(iter(each))}3"
    body = weight(patient, identifier=[{"system": SYSTEM, "value": new}])

    assert made(gp, body, **{"if-none-exist": f"identifier={SYSTEM}|{new}"}) not in each.values()


@pytest.mark.parametrize("sort", ["date", "-date", "status,-date", "_lastUpdated", "-code"])
def test_pages_of_a_sort_with_equal_keys_hold_each_once_under_one_total(
    gp: httpx.Client, values: tuple[str, dict[str, str]], sort: str
) -> None:
    """MS#1792: duplicates across sorted pages. MS#715: the total shrank page by page."""
    patient, _ = values
    whole = ids(page(gp, f"/Observation?patient={patient}&_sort={sort}&_count=100"))
    address: str | None = f"/Observation?patient={patient}&_sort={sort}&_count=3&_total=accurate"
    seen: list[str] = []
    while address:
        bundle = page(gp, address)
        assert bundle["total"] == len(whole)
        seen += ids(bundle)
        address = following(bundle)

    assert seen == whole
    assert len(set(whole)) == len(whole)


def test_a_count_of_nothing_is_a_total(gp: httpx.Client, values: tuple[str, dict[str, str]]) -> None:
    """MS#3230: `_count=0` was a 400."""
    patient, _ = values
    bundle = page(gp, f"/Observation?patient={patient}&_count=0")

    assert bundle["total"] == len(ids(page(gp, f"/Observation?patient={patient}&_count=100")))
    assert "entry" not in bundle


def test_a_chain_may_end_in_not(service: Any, gp: httpx.Client, weight: Weight) -> None:
    """MS#2002: a chained `:not` was a 500."""
    mark = uuid.uuid4().hex
    found = {}
    for gender in ("female", "male"):
        patient = service.patient(gender=gender)
        found[gender] = made(gp, weight(patient, identifier=[{"system": SYSTEM, "value": mark}]))

    bundle = page(gp, f"/Observation?identifier={mark}&subject:Patient.gender:not=female")

    assert ids(bundle) == [found["male"]]


@pytest.mark.parametrize("way", ["by id", "by criteria", "in a batch", "in a transaction"])
def test_a_deletion_is_in_the_journal(
    service: Any, gp: httpx.Client, auditor: httpx.Client, weight: Weight, way: str
) -> None:
    """ohs-foundation/fhir-gateway#397: create, read and update were audited, DELETE was not."""
    patient, value, request_id = service.patient(), uuid.uuid4().hex, uuid.uuid4().hex
    id_ = made(gp, weight(patient, identifier=[{"system": SYSTEM, "value": value}]))
    headers = {"x-request-id": request_id}
    if way == "by id":
        answer = gp.delete(f"/Observation/{id_}", headers=headers)
    elif way == "by criteria":
        answer = gp.delete(f"/Observation?identifier={SYSTEM}|{value}", headers=headers)
    else:
        entry = {"request": {"method": "DELETE", "url": f"Observation/{id_}"}}
        bundle = {"resourceType": "Bundle", "type": way.split()[-1], "entry": [entry]}
        answer = gp.post("/", json=bundle, headers=headers)
    assert answer.status_code in (200, 204), answer.text
    assert gp.get(f"/Observation/{id_}").status_code == 410

    assert f"Observation/{id_}/_history/2" in named_in_journal(auditor, patient, request_id)


def test_a_reference_matches_whole_or_not_at_all(service: Any, gp: httpx.Client, weight: Weight) -> None:
    """blaze#3103, blaze#2592: the search for one reference also found those whose id only begins like it."""
    patient, stem = service.patient(), f"https://elsewhere.example/fhir/Practitioner/{uuid.uuid4().hex[:12]}"
    each = [stem, f"{stem}1", f"{stem}12", stem[:-1], stem.replace("Practitioner/", "Practitioner/1")]
    found = {one: made(gp, weight(patient, performer=[{"reference": one}])) for one in each}
    for asked, id_ in found.items():
        for more in ("", f"&patient={patient}"):
            assert ids(page(gp, f"/Observation?performer={asked}{more}")) == [id_], asked
    assert ids(page(gp, f"/Observation?performer={stem[:-2]}&patient={patient}")) == []


def test_a_conditional_create_may_ask_through_a_reference(service: Any, gp: httpx.Client, weight: Weight) -> None:
    """hapi-fhir#5131: with several criteria, one of them chained, the create that should have found its match failed."""
    value = uuid.uuid4().hex
    patient = service.patient(identifier=[{"system": SYSTEM, "value": value}])
    body = weight(patient, bodySite={"text": value})
    asked = f"code=29463-7&patient.identifier={SYSTEM}|{value}&status=final&_filter=value-quantity gt 1"

    answers = [gp.post("/Observation", content=body, headers={"if-none-exist": asked}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 200, 200], answers[-1].text
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_what_the_scopes_leave_out_is_refused_whether_it_is_there_or_not(
    service: Any, gp: httpx.Client, weight: Weight
) -> None:
    """LFH#2669: 403 where there was one, an empty 200 where there was none. LFH#1849: the same between two patients."""
    known, bare, hidden = service.patient(), service.patient(), service.patient("nurse")
    made(gp, weight(known))
    told = []
    with service.client("gp", "user/Patient.rs") as narrow:
        for patient in (known, bare, hidden, uuid.uuid4().hex):
            for asked in (f"/Observation?patient={patient}", f"/Observation?patient={patient}&code=29463-7"):
                answer = narrow.get(asked)
                told.append((answer.status_code, answer.json()["issue"]))
    assert told[0][0] == 403
    assert all(one == told[0] for one in told)
    for asked in ("", "&code=29463-7", "&_summary=count", "&_has:Encounter:patient:class=HH"):
        answers = [gp.get(f"/Observation?patient={one}{asked}") for one in (hidden, hidden[::-1])]
        first, second = [(one.status_code, one.json().get("total"), one.json().get("issue")) for one in answers]
        assert first == second, asked


def test_each_resource_that_a_search_shows_is_in_the_journal(
    service: Any, gp: httpx.Client, auditor: httpx.Client, weight: Weight
) -> None:
    """LFH#2090: the journal had the search, and not what it showed."""
    patient = service.patient()
    shown = {made(gp, weight(patient)) for _ in range(3)}
    kept_back = made(gp, weight(patient, status="amended"))
    request_id = uuid.uuid4().hex

    answer = gp.get(f"/Observation?patient={patient}&status=final", headers={"x-request-id": request_id})

    assert set(ids(answer.json())) == shown
    named = named_in_journal(auditor, patient, request_id)
    assert {f"Observation/{one}/_history/1" for one in shown} <= named
    assert f"Observation/{kept_back}/_history/1" not in named


@pytest.mark.parametrize(
    ("scope", "asked", "status"),
    [
        pytest.param("user/Patient.rs", "/Observation?patient={patient}", 403, id="scope"),
        pytest.param("user/*.rs", "/Observation?patient={patient}&no-such-parameter=x", 400, id="parameter"),
        pytest.param("user/*.rs", "/Observation?code:in=http://example.org/no-such-set", 400, id="value set"),
        pytest.param("user/Patient.rs", "/Observation/0123456789abcdef0123456789abcdef", 403, id="read"),
    ],
)
def test_what_is_refused_is_in_the_journal_as_refused(
    service: Any, auditor: httpx.Client, scope: str, asked: str, status: int
) -> None:
    """MS#794: the first refusal of a client was not audited. HealthClawGuardrails#74: a search that failed was audited as
    one that succeeded."""
    request_id, professional = uuid.uuid4().hex, service.people["gp"].practitioner
    with service.client("gp", scope) as client:
        answer = client.get(asked.format(patient=service.patient()), headers={"x-request-id": request_id})
    assert answer.status_code == status

    events = auditor.get(f"/AuditEvent?agent={professional}&_sort=-date&_count=20").json()["entry"]
    mine = [one["resource"] for one in events if request_id in str(one["resource"]["entity"])]
    assert [(one["outcome"], one["outcomeDesc"].split()[0]) for one in mine] == [("4", str(status))]


ELSEWHERE = [
    "Patient/{other}",
    "Patient/{other}/_history/1",
    "Patient/{other}/$everything",
    "Observation/{weight}",
    "Observation/{weight}/_history",
    "Observation?patient={other}",
    "Observation?_id={weight}&_include=*",
    "Patient?_id={other}&_revinclude=*",
    "Patient/{other}/Observation",
    "Patient?_has:Observation:patient:_id={weight}",
    "Observation?patient:Patient._id={other}&_summary=count",
    "Practitioner?_id={nurse}&_revinclude=Observation:performer",
]


def test_a_token_for_one_patient_is_for_that_patient_everywhere(service: Any, gp: httpx.Client, weight: Weight) -> None:
    """hfs#1618: the patient of a token bounded one operation, and no read or search."""
    mine, other = service.patient(), service.patient()
    nurse = service.people["nurse"].practitioner
    kept = {one: made(gp, weight(one, performer=[{"reference": nurse}])) for one in (mine, other)}

    async def key() -> Any:
        async with House.opened(service.settings) as house:
            return house.store.key("Patient", mine)

    person = service.people["gp"]
    act = replace(person.act, only_patient=alone(key).patient)
    service.people["gp of one"] = Person(person.practitioner, person.role, act)
    with service.client("gp of one", "patient/*.rs user/*.rs") as bound:
        for asked in ELSEWHERE:
            told = {}
            for one in (mine, other):
                found = bound.get("/" + asked.format(other=one, weight=kept[one], nurse=nurse.partition("/")[2]))
                tree = found.json()
                told[one] = str(tree.get("entry", tree.get("total", tree)))
                assert found.status_code == 200 or (one == other and found.status_code == 404), (asked, found.text)
                assert kept[other] not in told[one], asked
                assert f"Patient/{other}" not in told[one], asked
            assert told[mine] != told[other] or "Practitioner" in asked, asked
    assert gp.get(f"/Observation/{kept[other]}").status_code == 200
