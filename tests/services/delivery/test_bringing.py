"""A telephone brings visits that were written without a network: each has a receipt, a place, and one place only."""

import asyncio
import base64
import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from liaison.fhir.store.embedded import Embedded
from liaison.services.pages.reading.written import text_of

from ..running_sandbox import Running
from .telephone import Telephone, person

pytestmark = pytest.mark.http
VISIT = "https://liaison.example/fhir/id/visit"


def encounters(territory: Running, visit: str, who: str = "home_service_manager") -> list[dict[str, Any]]:
    found = territory.get(territory.token(who), f"Encounter?identifier={VISIT}%7C{visit}%23encounter").json()
    return [entry["resource"] for entry in found.get("entry", [])]


def test_the_tour_is_short_and_names_nobody_in_full(telephone: Telephone, sandbox: Running) -> None:
    stops = telephone.tour["stops"]
    assert 0 < len(stops) <= 30
    for stop in stops:
        assert set(stop) == {
            "appointment", "patient", "at", "who", "commune", "instruction", "done", "known", "asked", "last", "weight", "weight_said",
            "unread", "paused",
        }  # fmt: skip
        assert stop["who"].endswith(".") and len(stop["who"].split()[-1]) == 2
        assert len(stop["known"]) <= 3
    tour = datetime.fromisoformat(telephone.tour["good_until"]) - datetime.fromisoformat(telephone.tour["made_at"])
    assert tour == timedelta(hours=36)


def test_a_visit_is_filed_once_in_the_name_of_the_aide_and_the_doctor_finds_it(
    telephone: Telephone, sandbox: Running
) -> None:
    stop = telephone.someone
    letter = telephone.letter(stop, form={"note": ["Contente de me voir."], "weight": ["61,5"]})
    parcel = telephone.parcel(letter)
    receipt = telephone.bring(parcel).json()
    assert receipt["state"] == "filed", receipt
    assert receipt["hash"] == hashlib.sha256(base64.b64decode(parcel["sealed"])).hexdigest()

    assert telephone.bring(parcel).json() == receipt
    [encounter] = encounters(sandbox, letter["visit"])
    assert encounter["participant"][0]["individual"]["reference"] == person(sandbox, "aide")["practitioner_role"]
    of_it = f"encounter=Encounter/{encounter['id']}"
    weights = sandbox.get(sandbox.token("home_service_manager"), f"Observation?{of_it}&code=29463-7").json()
    assert [entry["resource"]["valueQuantity"]["value"] for entry in weights["entry"]] == [61.5]
    notes = sandbox.get(sandbox.token("gp"), f"DocumentReference?{of_it}").json()["entry"]
    assert [text_of(entry["resource"]) for entry in notes] == ["Contente de me voir."]
    about = f"Provenance?target=Encounter/{encounter['id']}"
    for reader in ("gp", "home_service_manager", "aide"):
        [told] = sandbox.get(sandbox.token(reader), about).json()["entry"]
        assert told["resource"]["occurredDateTime"][:19] == letter["written"][:19]
        assert {"reference": f"DocumentReference/{notes[0]['resource']['id']}"} in told["resource"]["target"]
    [response] = sandbox.get(sandbox.token("home_service_manager"), f"QuestionnaireResponse?{of_it}").json()["entry"]
    assert "device-time" in response["resource"]["extension"][0]["url"]


def test_what_files_it_reaches_the_record_of_that_person_alone(telephone: Telephone, sandbox: Running) -> None:
    assert telephone.bring(telephone.parcel(telephone.letter(telephone.someone))).json()["state"] == "filed"

    async def opened() -> list[int | None]:
        connection = await asyncpg.connect(Embedded.attach(sandbox.folder / "database").url)
        try:
            asked = "select only_patient from access_session where role_code = 'internal:visits'"
            return [of for (of,) in await connection.fetch(asked)]
        finally:
            await connection.close()

    found = asyncio.run(opened())
    assert found
    assert None not in found


def test_a_colleague_delivers_it_and_it_stays_its_author_s(telephone: Telephone, sandbox: Running) -> None:
    letter = telephone.letter(telephone.someone)
    telephone.sign_out()
    telephone.sign_in(person(sandbox, "aide2"))
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    [encounter] = encounters(sandbox, letter["visit"])
    assert encounter["participant"][0]["individual"]["reference"] == person(sandbox, "aide")["practitioner_role"]
    [entry] = sandbox.get(sandbox.token("auditor"), f"AuditEvent?entity=Encounter/{encounter['id']}&action=C").json()[
        "entry"
    ]
    assert entry["resource"]["agent"][0]["who"]["reference"] == person(sandbox, "aide")["practitioner"]


def test_it_is_filed_although_her_right_has_ended_since(telephone: Telephone, sandbox: Running) -> None:
    stop, manager = telephone.planned, sandbox.token("home_service_manager")
    of_hers = f"patient=Patient/{stop['patient']}&actor={person(sandbox, 'aide')['practitioner_role']}&_count=100"
    found = sandbox.get(manager, f"Appointment?{of_hers}").json()["entry"]
    lines = [one["resource"] for one in found if one["resource"]["status"] in ("booked", "arrived", "fulfilled")]
    letter = telephone.letter({**stop, "appointment": ""})

    def put(**changes: str) -> None:
        headers = {"authorization": f"Bearer {manager}", "content-type": "application/fhir+json"}
        for line in lines:
            url = f"{sandbox.known['fhir']}/Appointment/{line['id']}"
            assert httpx.put(url, json={**line, **changes}, headers=headers, timeout=60).status_code == 200

    put(status="cancelled")
    assert sandbox.get(sandbox.token("aide"), f"Patient/{stop['patient']}").status_code == 404
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    assert len(encounters(sandbox, letter["visit"])) == 1
    put()


def test_what_was_not_finished_waits_for_a_person_however_whole_it_looks(
    telephone: Telephone, sandbox: Running
) -> None:
    letter = telephone.letter(telephone.someone, form={"unfinished": ["yes"]})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"
    assert encounters(sandbox, letter["visit"]) == []


def test_two_tabs_that_send_together_file_one_visit(telephone: Telephone, sandbox: Running) -> None:
    letter = telephone.letter(telephone.someone)
    parcel = telephone.parcel(letter)
    with ThreadPoolExecutor(8) as pool:
        answers = [one.json() for one in pool.map(telephone.bring, [parcel] * 8)]
    assert len({tuple(one.items()) for one in answers}) == 1
    assert answers[0]["state"] == "filed"
    assert len(encounters(sandbox, letter["visit"])) == 1


def test_the_same_number_told_otherwise_waits_for_a_person(telephone: Telephone, sandbox: Running) -> None:
    first = telephone.letter(telephone.someone, form={"note": ["La première."]})
    assert telephone.bring(telephone.parcel(first)).json()["state"] == "filed"
    second = {**first, "form": {**first["form"], "note": ["La seconde."]}}
    assert telephone.bring(telephone.parcel(second)).json()["state"] == "checking"
    assert len(encounters(sandbox, first["visit"])) == 1


def test_another_visit_for_an_appointment_that_has_one_waits_for_a_person(
    telephone: Telephone, sandbox: Running
) -> None:
    stop = telephone.planned
    assert telephone.bring(telephone.parcel(telephone.letter(stop))).json()["state"] == "filed"
    assert telephone.bring(telephone.parcel(telephone.letter(stop))).json()["state"] == "checking"


@pytest.mark.parametrize(
    "change",
    [
        {"patient": "no-such-person"},
        {"permit": "AAAA"},
        {"form": {"start": ["08:00"], "presence": ["present"], "weight": ["plume"]}},
        {"form": {}},
        {"written": (datetime.now(UTC) - timedelta(days=4)).isoformat()},
    ],
    ids=["another person", "no permit", "an answer that is none", "no answer", "days ago"],
)
def test_what_cannot_be_filed_is_kept_for_a_person(
    telephone: Telephone, sandbox: Running, change: dict[str, Any]
) -> None:
    letter = telephone.letter(telephone.someone)
    letter |= change
    receipt = telephone.bring(telephone.parcel(letter)).json()
    assert receipt["state"] == "checking"
    assert encounters(sandbox, letter["visit"]) == []


def test_a_visit_that_another_key_has_signed_is_kept_for_a_person(telephone: Telephone, sandbox: Running) -> None:
    letter = telephone.letter(telephone.someone)
    other = Telephone(telephone.http, tour=telephone.tour, csrf=telephone.csrf)
    assert other.bring(other.parcel(letter)).json()["state"] == "checking"
    assert encounters(sandbox, letter["visit"]) == []


def test_what_does_not_open_is_kept_for_a_person(telephone: Telephone) -> None:
    number = str(uuid.uuid4())
    parcel = {
        "visit": number,
        "kid": telephone.tour["key"]["kid"],
        "sealed": base64.b64encode(b"x" * 200).decode(),
        "clock": telephone.now().isoformat(),
    }
    assert telephone.bring(parcel).json()["state"] == "checking"
    # An opened letter under another number than the parcel says is no letter of that number.
    letter = telephone.letter(telephone.someone)
    parcel = telephone.parcel(letter, visit=str(uuid.uuid4()))
    assert telephone.bring(parcel).json()["state"] == "checking"


def test_a_clock_wrong_by_three_hours_is_put_right(telephone: Telephone, sandbox: Running) -> None:
    telephone.wrong = timedelta(hours=3)
    letter = telephone.letter(telephone.someone)
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    [encounter] = encounters(sandbox, letter["visit"])
    start = datetime.fromisoformat(encounter["period"]["start"])
    assert abs(start - datetime.now(UTC)) < timedelta(minutes=5)


def test_nobody_signed_in_is_told_so_in_a_word_and_nothing_is_lost(telephone: Telephone) -> None:
    letter = telephone.letter(telephone.someone)
    telephone.sign_out()
    answer = telephone.bring(telephone.parcel(letter))
    assert (answer.status_code, answer.json()) == (403, {"why": "forbidden"})


def test_a_telephone_that_is_not_of_the_service_takes_no_tour(sandbox: Running) -> None:
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        mine = Telephone(http)
        mine.sign_in(person(sandbox, "aide"))
        assert mine.fetch().status_code == 403
        gp = Telephone(http)
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        gp = Telephone(http)
        page = http.get("/connexion")
        assert page.status_code == 200
        assert gp.fetch().status_code == 403


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"visit": "x", "kid": "k", "sealed": "AAAA", "clock": "2026-01-01T00:00:00Z"},
     {"visit": str(uuid.UUID(int=1)), "kid": "k", "sealed": "AAAA", "clock": "2026-01-01T00:00:00"},
     {"visit": str(uuid.UUID(int=1)), "kid": "k", "sealed": "é", "clock": "2026-01-01T00:00:00Z"},
     {"visit": str(uuid.UUID(int=1)), "kid": 4, "sealed": "AAAA", "clock": "2026-01-01T00:00:00Z"}],
    ids=["null", "list", "empty", "number", "zone", "base64", "type"],
)  # fmt: skip
def test_what_is_no_parcel_is_refused_in_a_word(telephone: Telephone, body: Any) -> None:
    answer = telephone.ask("/telephone/visites", body)
    assert (answer.status_code, answer.json()) == (400, {"why": "malformed"})


@pytest.mark.parametrize(
    "changes",
    [{"kid": "\x00"}, {"clock": "0001-01-01T00:00:00+00:00"}, {"clock": "9999-12-31T23:59:59+00:00"}],
    ids=["a key of no text", "the first year", "the last year"],
)
def test_what_no_telephone_says_is_malformed_and_no_fault(telephone: Telephone, changes: dict[str, str]) -> None:
    letter = telephone.letter(telephone.someone, written="2000-01-01T00:00:00+00:00")

    refused = telephone.bring(telephone.parcel(letter, **changes))

    assert (refused.status_code, refused.json()) == (400, {"why": "malformed"})
