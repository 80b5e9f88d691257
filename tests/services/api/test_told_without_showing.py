"""A number, or "none", tells of a person as a row does: it stands in their own journal, once, whatever the form of the
question; and nobody is named on whom the caller has no right."""

import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify
from liaison.auth.sessions import Act, caller_of, open_session
from liaison.fhir.store.contract import Request
from liaison.services import engine
from liaison.services.house import House

from ..conftest import Person, alone

pytestmark = pytest.mark.http

SYSTEM = "urn:oid:1.2.250.1.213.1.4.9"
CODE = "http://loinc.org|29463-7"
NONE = "http://loinc.org|75622-1"  # the HIV test that nobody has here


class World:
    """A patient with a weight, who reads their own journal, and another person who has one too."""

    def __init__(self, service: Any, weight: Any) -> None:
        self.service, self.number = service, uuid.uuid4().hex
        named = {"identifier": [{"system": SYSTEM, "value": self.number}]}
        family = [{"family": f"Q{self.number[:8]}", "given": ["Une"]}]
        self.patient = service.patient("gp", **named, name=family)
        self.other = service.patient("gp")
        with service.client("gp") as gp:
            for one in (self.patient, self.other):
                made = gp.post("/Observation", content=weight(one))
                assert made.status_code == 201, made.text
                if one == self.patient:
                    self.weight = made.json()["id"]
            listed = {
                "resourceType": "List",
                "status": "current",
                "mode": "working",
                "entry": [{"item": {"reference": f"Patient/{self.patient}"}}],
                "subject": {"reference": f"Patient/{self.other}"},
            }
            self.list_ = gp.post("/List", json=listed).json()["id"]
        self.fill = {
            "p": self.patient,
            "o": self.other,
            "w": self.weight,
            "l": self.list_,
            "i": f"{SYSTEM}|{self.number}",
            "f": family[0]["family"],
            "code": CODE,
            "none": NONE,
        }
        self.persons = {one: self._person(one) for one in (self.patient, self.other)}

    def _person(self, patient: str) -> str:
        key = alone(lambda: self._key(patient))
        act = Act((key.res,), int(Purpose.PATRQT), "patient", practitioner=key.res, only_patient=key.patient)
        self.service.people[patient] = Person(f"Patient/{patient}", "", act)
        return patient

    async def _key(self, patient: str) -> Any:
        async with House.opened(self.service.settings) as house:
            return house.store.key("Patient", patient)

    def told(self, patient: str) -> dict[str, list[dict[str, Any]]]:
        """What the person themself finds in their journal, by the request it tells of."""
        with self.service.client(patient, "patient/*.rs user/*.rs") as me:
            return by_request(me, "/AuditEvent?_count=200")

    def events(self, patient: str, request_id: str) -> list[dict[str, Any]]:
        """The same of one request."""
        return self.told(patient).get(request_id, [])


def by_request(client: httpx.Client, path: str) -> dict[str, list[dict[str, Any]]]:
    """Every entry that a search finds, to its last page, by the id of the request it tells of."""
    found: dict[str, list[dict[str, Any]]] = {}
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        for entry in bundle.get("entry", []):
            named = {e.get("what", {}).get("identifier", {}).get("value") for e in entry["resource"]["entity"]}
            for request_id in named - {None}:
                found.setdefault(request_id, []).append(entry["resource"])
        further = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        following = further[0].partition("/fhir")[2] if further else None
    return found


@pytest.fixture(scope="module")
def world(service: Any, weight: Any) -> World:
    return World(service, weight)


def ask(client: httpx.Client, world: World, form: str) -> tuple[str, httpx.Response]:
    method, _, path = form.format(**world.fill).partition(" ")
    request_id = uuid.uuid4().hex
    path, _, query = path.partition("?")
    more: dict[str, Any] = {"params": query} if method == "GET" else {}
    headers = {"x-request-id": request_id}
    if method == "POST":
        headers["content-type"] = "application/x-www-form-urlencoded"
        more["content"] = query
    return request_id, client.request(method, path, headers=headers, **more)


FORMS = {
    "count by patient": "GET /Observation?patient=Patient/{p}&code={code}&_summary=count",
    "count by bare id": "GET /Observation?patient={p}&code={none}&_summary=count",
    "count by subject": "GET /Observation?subject=Patient/{p}&code={none}&_summary=count",
    "no rows asked for": "GET /Observation?patient=Patient/{p}&code={code}&_count=0",
    "nothing found": "GET /Observation?patient=Patient/{p}&code={none}",
    "post": "POST /Observation/_search?patient=Patient/{p}&code={none}",
    "has": "GET /Patient?_id={p}&_has:Observation:patient:code={none}",
    "has, counted": "GET /Patient?_id={p}&_has:Observation:patient:code={code}&_summary=count",
    "has, by identifier": "GET /Patient?identifier={i}&_has:Observation:patient:code={none}&_summary=count",
    "identifier counted": "GET /Patient?identifier={i}&_summary=count",
    "chain to identifier": "GET /Observation?patient.identifier={i}&code={none}",
    "chain to id": "GET /Observation?patient._id={p}&code={none}&_summary=count",
    "chain to name": "GET /Observation?patient.family={f}&code={none}&_summary=count",
    "logical reference": "GET /Observation?patient:identifier={i}&code={none}",
    "by the id of a resource": "GET /Observation?_id={w}&code={none}&_summary=count",
    "list": "GET /Patient?_list={l}&_has:Observation:patient:code={none}&_summary=count",
    "filter": "GET /Observation?_filter=patient eq Patient/{p} and code eq {none}&_summary=count",
    "filter, or": "GET /Observation?_filter=(patient eq Patient/{p} or patient eq Patient/{o}) and code eq {none}",
    "all but": "GET /Patient?_id:not={p}&_has:Observation:patient:code={code}&_summary=count",
    "filter, not": "GET /Observation?_filter=not (patient eq Patient/{p}) and code eq {code}&_summary=count",
    "filter, ne": "GET /Observation?_filter=patient ne Patient/{p}&code={none}",
    "compartment": "GET /Patient/{p}/Observation?code={none}&_summary=count",
    "any type of a compartment": "GET /Patient/{p}/*?_type=Observation,Condition&code={none}&_summary=count",
    "several types": "GET /?_type=Observation,Condition&patient=Patient/{p}&code={none}&_summary=count",
    "decided after decryption": "GET /Observation?patient=Patient/{p}&value-quantity=gt900&_summary=count",
    "traits counted": "GET /Patient?family={f}&_summary=count",
    "everything since": "GET /Patient/{p}/$everything?_type=Observation&_since=2999-01-01T00:00:00Z",
    "history since": "GET /Patient/{p}/_history?_since=2999-01-01T00:00:00Z",
    "history counted": "GET /Patient/{p}/_history?_count=0",
    "lastn": "GET /Observation/$lastn?patient=Patient/{p}&code={none}",
    "beside one that is shown": "GET /Observation?patient=Patient/{p},Patient/{o}&code={code}&_id:not={w}",
}


UNSHOWN = {name: form for name, form in FORMS.items() if name != "list"}
"""In none of these is anything of the person an item: without their being named, nothing would tell them of it."""


def unfound(world: World, asked: Mapping[str, str], wanted: int = 1) -> dict[str, int]:
    """The questions, by their request id, of which the person finds another number of entries than one."""
    told = world.told(world.patient)
    counts = {name: len(told.get(request_id, [])) for name, request_id in asked.items()}
    return {name: count for name, count in counts.items() if count != wanted}


def asked_over_http(world: World, who: str, status: int = 200) -> dict[str, str]:
    asked = {}
    with world.service.client(who) as client:
        for name, form in FORMS.items():
            asked[name], answer = ask(client, world, form)
            assert answer.status_code == status, (name, answer.text)
    return asked


def asked_in_process(world: World, forms: Mapping[str, str]) -> dict[str, str]:
    """The same of an engine of this process, by the doctor."""

    async def run() -> dict[str, str]:
        asked = {}
        async with House.opened(world.service.settings) as house:
            async with house.database.writing.acquire() as connection:
                session = await open_session(connection, world.service.people["gp"].act, "user/*.cruds", 300)
            caller = await caller_of(house.database.reading, session)
            assert caller is not None
            for name, form in forms.items():
                method, _, path = form.format(**world.fill).partition(" ")
                path, _, query = path.lstrip("/").partition("?")
                asked[name] = uuid.uuid4().hex
                answer = await house.engine.handle(caller, Request(method, path, query, request_id=asked[name]))
                assert answer.status == 200, (name, answer.body)
        return asked

    return alone(run)


def test_each_way_to_be_told_of_someone_stands_once_in_their_journal(world: World) -> None:
    assert unfound(world, asked_over_http(world, "gp")) == {}


def test_the_test_would_see_an_engine_that_names_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unfound(world, asked_in_process(world, UNSHOWN)) == {}

    async def forgetting(*_: Any) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(engine, "held", forgetting)
    assert unfound(world, asked_in_process(world, UNSHOWN)) == dict.fromkeys(UNSHOWN, 0)


def test_who_has_no_right_leaves_nobody_named(world: World) -> None:
    with world.service.client("gp_outside") as outside:
        answers = dict(ask(outside, world, form) for form in FORMS.values())
    for answer in answers.values():
        if answer.status_code == 200 and answer.json()["resourceType"] == "Bundle":
            assert not answer.json().get("entry"), answer.url
    with world.service.client("auditor") as auditor:
        of_them = by_request(auditor, f"/AuditEvent?patient=Patient/{world.patient}&_count=200")
        each = by_request(auditor, "/AuditEvent?_count=200")
    answered = {request_id for request_id, answer in answers.items() if answer.status_code == 200}
    assert answered <= each.keys(), "the journal says that they asked"
    assert not answered & of_them.keys()
    assert not answers.keys() & world.told(world.patient).keys()


def test_the_entry_says_who_and_shows_no_question_nor_answer(world: World) -> None:
    with world.service.client("gp") as gp:
        request_id, _ = ask(gp, world, FORMS["nothing found"])
    [event] = world.events(world.patient, request_id)
    assert event["agent"][0]["who"]["reference"] == world.service.people["gp"].practitioner
    kinds = [one.get("role", one["type"])["code"] for one in event["entity"]]
    assert kinds == ["1", "XrequestId"]


def test_each_entry_of_a_batch_stands_by_itself(world: World) -> None:
    urls = [FORMS[name].format(**world.fill).removeprefix("GET /") for name in ("nothing found", "has", "list")]
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    request_id = uuid.uuid4().hex
    with world.service.client("gp") as gp:
        answer = gp.post(
            "", json={"resourceType": "Bundle", "type": "batch", "entry": entries}, headers={"x-request-id": request_id}
        )
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200 OK"] * 3, answer.text
    assert len(world.events(world.patient, request_id)) == 3


@pytest.mark.parametrize(
    ("criteria", "about", "status"),
    [
        pytest.param("patient=Patient/{p}&code={none}", "{o}", 201, id="none of another person"),
        pytest.param("patient=Patient/{p}&code={none}", "{p}", 201, id="none of the person written of"),
        pytest.param("code={code}&patient=Patient/{p},Patient/{o}", "{o}", 412, id="several match"),
    ],
)
def test_the_criteria_of_a_write_ask_too(world: World, weight: Any, criteria: str, about: str, status: int) -> None:
    request_id = uuid.uuid4().hex
    headers = {"x-request-id": request_id, "if-none-exist": criteria.format(**world.fill)}
    with world.service.client("gp") as gp:
        made = gp.post(
            "/Observation", content=weight(about.format(**world.fill), status="preliminary"), headers=headers
        )
    assert made.status_code == status, made.text
    assert len(world.events(world.patient, request_id)) == 1


def test_a_conditional_delete_that_finds_nothing_asks_too(world: World) -> None:
    request_id, answer = "", None
    with world.service.client("gp") as gp:
        request_id = uuid.uuid4().hex
        asked = f"/Observation?patient=Patient/{world.patient}&code={NONE}"
        answer = gp.delete(asked, headers={"x-request-id": request_id})
    assert answer.status_code == 204, answer.text
    assert len(world.events(world.patient, request_id)) == 1


def test_a_refused_question_names_nobody(world: World) -> None:
    with world.service.client("gp", "user/Patient.rs") as gp:
        request_id, answer = ask(gp, world, FORMS["has"])
    assert answer.status_code == 403
    assert world.events(world.patient, request_id) == []


def test_the_journal_is_still_whole(world: World) -> None:
    asked_over_http(world, "gp")

    async def check() -> bool:
        async with (
            House.opened(world.service.settings) as house,
            house.database.reading.acquire() as one,
            one.transaction(isolation="repeatable_read", readonly=True),
        ):
            verdict = await verify(Live(one), house.journal_keys.signer.verifier, house.journal_keys, [])
            return verdict.at is not None

    assert alone(check)
