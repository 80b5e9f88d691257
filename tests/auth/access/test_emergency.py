"""Emergency access over FHIR: the token it answers with opens the record, is renewed, and dies with the access."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.auth.oauth2.keys import ACCESS, SigningKeys
from liaison.auth.oauth2.rfc6750 import Bearer
from liaison.fhir.errors import Unauthorized

from . import arrivals

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

REASON = "Trouvée inconsciente, ne peut répondre"


async def asked(territory: Any, doctor: Any) -> dict[str, str]:
    body = arrivals.parameters(arrivals.traits(), reason=REASON)
    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)
    assert answer.status == 200, answer.body
    said: dict[str, str] = arrivals.said(answer)
    return said


async def bearer(territory: Any) -> Bearer:
    """Another worker: it has never seen the tokens."""
    keys = await SigningKeys.open(territory.database, territory.store.vault.territory, [ACCESS])
    base = territory.engine.base_url
    return Bearer(territory.database, keys, base.removesuffix("/fhir"), base)


async def caller(territory: Any, token: str) -> Caller:
    return await (await bearer(territory)).caller(f"Bearer {token}")


async def test_the_token_opens_the_record_for_five_minutes(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await arrivals.registered(territory, gp)

    said = await asked(territory, doctor)

    assert said["token-type"] == "Bearer"
    assert said["expires"] < said["until"]
    assert await territory.sees(await caller(territory, said["access-token"]), patient)
    assert not await territory.sees(doctor.caller, patient)


async def test_the_next_token_is_for_the_same_person_until_the_end_and_is_journaled(territory: Any) -> None:
    gp, doctor, other = [await territory.person(code) for code in ("gp", "hospital-doctor", "hospital-doctor")]
    patient = await arrivals.registered(territory, gp)
    said = await asked(territory, doctor)
    again = f"{said['task']}/$emergency-token"

    for refused in (other.caller, gp.caller):
        assert (await territory.ask(refused, "POST", again)).status == 404
    before = await sessions(territory)
    assert (await territory.ask(other.caller, "POST", again)).status == 404
    assert (await territory.ask(doctor.caller, "GET", again)).status == 405
    assert await sessions(territory) == before

    answer = await territory.ask(doctor.caller, "POST", again)
    assert answer.status == 200, answer.body
    renewed = arrivals.said(answer)
    assert renewed["access-token"] != said["access-token"]
    assert renewed["until"][:19] == said["until"][:19]
    held = await caller(territory, renewed["access-token"])
    assert await territory.sees(held, patient)
    assert (await territory.ask(held, "POST", again)).status == 200


async def test_the_end_kills_every_token_at_the_next_request(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await arrivals.registered(territory, gp)
    said = await asked(territory, doctor)
    known = await bearer(territory)
    header = f"Bearer {said['access-token']}"
    held = await known.caller(header)
    second = arrivals.said(await territory.ask(held, "POST", f"{said['task']}/$emergency-token"))
    assert await territory.sees(held, patient)

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$end-access")).status == 204

    assert (await territory.ask(await known.caller(header), "GET", patient)).status == 401
    with pytest.raises(Unauthorized):
        await caller(territory, second["access-token"])
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$emergency-token")).status == 404


@pytest.mark.parametrize("kind", ["emergency-objection", "opposition"])
async def test_after_an_objection_there_is_no_other_token(territory: Any, kind: str) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await arrivals.registered(territory, gp)
    said = await asked(territory, doctor)
    before = await sessions(territory)
    deny: dict[str, Any] = {"type": "deny"}
    if kind == "emergency-objection":
        deny["purpose"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}]
    else:
        deny["actor"] = [{"role": {"text": "opposed"}, "reference": {"reference": doctor.role}}]
    await territory.create(territory.system, territory.consent(SimpleNamespace(reference=patient), kind, deny))

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$emergency-token")).status == 404
    assert await sessions(territory) == before


async def test_a_provisional_duplicate_closes_nobody_s_way(territory: Any) -> None:
    """Anybody who receives people could make one."""
    gp, other, doctor = [await territory.person(role) for role in ("gp", "gp", "hospital-doctor")]
    patient = await arrivals.registered(territory, gp)
    double = {name: value for name, value in arrivals.traits().items() if name != "identifier"}
    await territory.create(other.caller, double)

    body = arrivals.parameters(arrivals.traits(), reason=REASON)
    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)
    assert answer.status == 200, answer.body
    assert arrivals.said(answer)["patient"] == patient


async def test_a_refusal_leaves_no_session(territory: Any) -> None:
    doctor = await territory.person("hospital-doctor")
    body = arrivals.parameters(arrivals.traits(), reason=REASON)

    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)

    assert answer.status == 404
    assert json.loads(answer.body)["resourceType"] == "OperationOutcome"
    assert await sessions(territory) == 0


async def sessions(territory: Any) -> int:
    query = "select count(*) from access_session where purpose = $1 and kinds is null"
    found: int = await territory.database.reading.fetchval(query, Purpose.ETREAT)
    return found


@pytest.mark.parametrize("known", [True, False], ids=["who objected", "nobody here"])
async def test_a_refused_access_stands_in_the_journal_with_its_reason_and_for_officers_whose_it_was(
    territory: Any, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await arrivals.registered(territory, gp) if known else ""
    if known:
        deny: dict[str, Any] = {
            "type": "deny",
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}],
        }
        objection = territory.consent(SimpleNamespace(reference=patient), "emergency-objection", deny)
        await territory.create(territory.system, objection)
    written: list[Entry] = []
    record = territory.journal.record

    async def watched(entries: Any) -> None:
        written.extend(entries)
        await record(entries)

    monkeypatch.setattr(territory.journal, "record", watched)
    body = arrivals.parameters(arrivals.traits(), reason=REASON)
    answer = await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)

    assert answer.status == 404
    [tried] = [one for one in written if one.event == Event.EMERGENCY]
    assert (tried.outcome, tried.status, tried.reason) == (OUTCOME_REFUSED, 404, REASON)
    assert (tried.person, tried.patient) == (doctor.caller.practitioner, 0)
    assert tried.requested == (("Patient", patient.removeprefix("Patient/")) if known else ("", ""))


async def test_an_access_of_an_emergency_does_not_become_a_place_in_the_team(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await arrivals.registered(territory, gp)
    said = await asked(territory, doctor)
    urgent, joining = (
        await caller(territory, said["access-token"]),
        arrivals.parameters(arrivals.traits(), ground="recognised", means="oral"),
    )

    for who, status in ((urgent, 403), (doctor.caller, 409)):
        answer = await territory.ask(who, "POST", "Patient/$join", joining)
        assert answer.status == status, answer.body
    answer = await territory.ask(urgent, "POST", "Patient/$register", arrivals.parameters(arrivals.traits("AUTRE")))
    assert answer.status == 403, answer.body
    [team] = await territory.search(gp.caller, f"CareTeam?patient={patient}")
    assert len((await territory.tree(team))["participant"]) == 1

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$end-access")).status == 204
    await territory.database.writing.execute("select pg_sleep(1.1)")
    assert (await territory.ask(doctor.caller, "POST", "Patient/$join", joining)).status == 200


async def test_an_access_of_somebody_else_stops_nobody_who_joins(territory: Any) -> None:
    gp, doctor, nurse = [await territory.person(code) for code in ("gp", "hospital-doctor", "nurse")]
    await arrivals.registered(territory, gp)
    await asked(territory, doctor)
    joining = arrivals.parameters(arrivals.traits(), ground="recognised", means="oral")
    assert (await territory.ask(nurse.caller, "POST", "Patient/$join", joining)).status == 200


async def test_without_the_look_at_it_it_would(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: the fault, planted."""

    async def blind(*_: Any) -> bool:
        return False

    monkeypatch.setattr("liaison.auth.access.join._in_their_emergency", blind)
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    await arrivals.registered(territory, gp)
    await asked(territory, doctor)
    joining = arrivals.parameters(arrivals.traits(), ground="recognised", means="oral")
    assert (await territory.ask(doctor.caller, "POST", "Patient/$join", joining)).status == 200
