"""« La personne s'oppose »: by anyone on the staff, in force at once, confirmed by those who may, withdrawn by them too."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import consent_writing

from .arrivals import said
from .pieces import moment
from .territory import qualified

Tree = dict[str, Any]
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj"


def operation(**values: Any) -> Tree:
    kinds = {
        "against": "valueReference",
        "emergency": "valueBoolean",
        "means": "valueCode",
        "signed": "valueAttachment",
    }
    return {"resourceType": "Parameters", "parameter": [{"name": n, kinds[n]: v} for n, v in values.items()]}


async def opposed(territory: Any, who: Any, patient: Any, **values: Any) -> str:
    answer = await territory.ask(who.caller, "POST", f"{patient.reference}/$oppose", operation(means="oral", **values))
    assert answer.status == 201, answer.body
    return str(said(answer)["consent"])


async def confirmed(territory: Any, who: Any, consent: str) -> int:
    return int((await territory.change(who.caller, consent, status="active")).status)


async def test_what_an_aide_records_stops_at_once_and_a_nurse_confirms_it(territory: Any) -> None:
    aide, nurse, gp = [await territory.person(code) for code in ("home-aide", "nurse", "gp")]
    patient = await territory.patient(aide, nurse, gp)
    consent = await opposed(territory, aide, patient)

    assert (await territory.tree(consent))["status"] == "proposed"
    for one in (aide, nurse, gp):
        assert not await territory.sees(one.caller, patient.reference)
    # Hidden from everyone, and still there to be confirmed.
    assert consent in await territory.search(nurse.caller, "Consent?status=proposed")
    assert await confirmed(territory, nurse, consent) == 200
    assert (await territory.tree(consent))["status"] == "active"
    assert not await territory.sees(nurse.caller, patient.reference)
    # What is closed to them is not written to either, and reads as if it were not there.
    absent = territory.item_of(SimpleNamespace(reference=f"Patient/{'0' * 32}"))
    hidden = territory.item_of(patient)
    assert (await territory.ask(nurse.caller, "POST", "Observation", hidden)).status == 403
    assert (await territory.ask(nurse.caller, "POST", "Observation", absent)).status == 422
    stranger = await territory.person("nurse")
    assert (await territory.ask(stranger.caller, "POST", "Observation", hidden)).status == 422


@pytest.mark.parametrize("still_held", [True, False])
async def test_who_is_opposed_in_one_role_is_so_in_every_other(territory: Any, still_held: bool) -> None:
    """The page lists roles; the person means someone. Another role, begun later, would have been a way around."""
    gp, nurse, colleague = [await territory.person(code) for code in ("gp", "nurse", "nurse")]
    patient = await territory.patient(gp, nurse, colleague)
    await opposed(territory, gp, patient, against={"reference": nurse.role})
    qualification = [qualified("60")]
    assert (await territory.change(territory.system, nurse.practitioner, qualification=qualification)).status == 200
    if not still_held:
        assert (await territory.change(territory.system, nurse.role, active=False)).status == 200
    days = {"start": "2020-01-01", "end": "2099-01-01"}
    replacing = await territory.role_of(nurse.practitioner, "substitute", acts_for=colleague.role, period=days)
    elsewhere = await territory.role_of(nurse.practitioner, "coordinator")
    team = await territory.tree(patient.made["team"])
    more = [*team["participant"], {"member": {"reference": elsewhere.role}, "period": {"start": "2020-01-01"}}]
    assert (await territory.change(territory.system, patient.made["team"], participant=more)).status == 200

    for one in (replacing, elsewhere):
        assert not await territory.sees(one.caller, patient.reference)
    assert await territory.sees(gp.caller, patient.reference)


WITHDRAWN: Tree = {"resourceType": "Parameters", "parameter": [{"name": "means", "valueCode": "oral"}]}


async def test_a_doctor_records_that_the_person_goes_back_on_it_and_it_is_reviewed(territory: Any) -> None:
    gp, nurse, aide = [await territory.person(code) for code in ("gp", "nurse", "home-aide")]
    auditor, stranger = await territory.mandated(), await territory.person("gp")
    patient = await territory.patient(gp, nurse, aide)
    consent = await opposed(territory, gp, patient)

    for who, status in ((aide, 404), (stranger, 404), (auditor, 403)):
        assert (await territory.ask(who.caller, "POST", f"{consent}/$withdraw", WITHDRAWN)).status == status
    assert (await territory.ask(gp.caller, "POST", f"{consent}/$withdraw", WITHDRAWN)).status == 200
    for one in (gp, nurse, aide):
        assert await territory.sees(one.caller, patient.reference)
    [review] = await territory.search(auditor.caller, f"Task?patient={patient.reference}")
    assert (await territory.tree(review))["code"]["coding"][0]["code"] == "withdrawal"
    assert await territory.search(gp.caller, f"Communication?patient={patient.reference}") != []
    assert (await territory.ask(gp.caller, "POST", f"{consent}/$withdraw", WITHDRAWN)).status == 409


async def test_who_is_opposed_by_name_does_not_withdraw_it(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    consent = await opposed(territory, gp, patient, against={"reference": nurse.role})
    told = await territory.create(gp.caller, territory.consent(patient, "information"))

    assert (await territory.ask(nurse.caller, "POST", f"{consent}/$withdraw", WITHDRAWN)).status in (403, 404)
    assert (await territory.ask(gp.caller, "POST", f"{told}/$withdraw", WITHDRAWN)).status == 404
    assert (await territory.ask(gp.caller, "POST", f"{consent}/$withdraw", WITHDRAWN)).status == 200
    assert await territory.sees(nurse.caller, patient.reference)


@pytest.mark.parametrize("role", ["home-aide", "secretary", "trainee"])
async def test_a_role_that_does_not_confirm_records_for_the_time_being_only(territory: Any, role: str) -> None:
    gp = await territory.person("gp")
    more = (
        {}
        if role == "home-aide"
        else {"acts_for": gp.role, "period": {"start": moment(days=1), "end": moment(days=-9)}}
    )
    who = await territory.person(role, **more)
    patient = await territory.patient(gp, who)
    provision = {"type": "deny", "actor": [territory.actor(gp.role)]}
    stated = territory.consent(patient, "opposition", provision)

    assert (await territory.ask(who.caller, "POST", "Consent", stated)).status == 403
    consent = await opposed(territory, who, patient, against={"reference": gp.role})
    assert (await territory.tree(consent))["status"] == "proposed"
    assert await confirmed(territory, who, consent) in (403, 404)


async def test_without_the_check_an_aide_would_confirm_herself(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(consent_writing, "_check_confirmed", lambda *_: None)
    aide, nurse = await territory.person("home-aide"), await territory.person("nurse")
    patient = await territory.patient(aide, nurse)
    consent = await opposed(territory, aide, patient, against={"reference": nurse.role})

    assert await confirmed(territory, aide, consent) == 200


async def test_a_substitute_s_word_is_a_doctor_s(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    substitute = await territory.person(
        "substitute", acts_for=gp.role, period={"start": moment(days=1), "end": moment(days=-9)}
    )
    patient = await territory.patient(gp, nurse)
    consent = await opposed(territory, substitute, patient, against={"reference": nurse.role})

    assert (await territory.tree(consent))["status"] == "active"


async def test_the_signed_form_stays_with_the_opposition(territory: Any) -> None:
    nurse, gp = await territory.person("nurse"), await territory.person("gp")
    patient = await territory.patient(nurse, gp)
    signed = {"contentType": "text/html", "data": base64.b64encode(PDF).decode(), "title": "Feuille"}
    consent = await opposed(territory, nurse, patient, against={"reference": gp.role}, signed=signed)

    kept = (await territory.tree(consent))["sourceAttachment"]
    assert (kept["contentType"], base64.b64decode(kept["data"])) == ("application/pdf", PDF)


@pytest.mark.parametrize(
    "data", ["", "eA==", "not base64", base64.b64encode(b"<html>").decode(), base64.b64encode(b"MZ\x90").decode()]
)
async def test_a_scan_is_a_pdf_or_an_image(territory: Any, data: str) -> None:
    nurse = await territory.person("nurse")
    patient = await territory.patient(nurse)
    stated = operation(means="paper", signed={"contentType": "application/pdf", "data": data})
    refused = await territory.refused(nurse.caller, "POST", f"{patient.reference}/$oppose", stated)

    assert refused.status == 400
    assert "signed" in json.loads(refused.body)["issue"][0]["expression"][0]
    assert await territory.sees(nurse.caller, patient.reference)


async def test_the_person_masks_an_item_and_shows_it_again(territory: Any) -> None:
    nurse, other = await territory.person("nurse"), await territory.person("physio")
    patient = await territory.patient(nurse, other)
    me = await territory.as_oneself(patient.reference)
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    hidden = {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    mine = [{"reference": patient.reference}]

    consent = await territory.create(me, territory.consent(patient, "masking", hidden, performer=mine))
    assert not await territory.sees(other.caller, weight)
    assert await territory.sees(nurse.caller, weight)
    ended = await territory.change(me, consent, status="inactive", dateTime=moment())
    assert ended.status == 200
    assert await territory.sees(other.caller, weight)
    # Nothing but that is theirs to write.
    await territory.refused(me, "POST", "Observation", territory.item_of(patient, **territory.vital()))
