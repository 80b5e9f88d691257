"""Acts: each is shown, as what, about whom, on whose word; and nothing else of what an entry keeps is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from liaison.auth.access import mandates
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.journal import audit_event, audit_search, told
from liaison.auth.journal.acts import BY_REASON, OF_EVENT, SAID, Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.told import told_of
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

from .audit_world import DOCTOR, MSP, NURSE, UNION, World, world

__all__ = ["world"]

PLANTED = {
    "to": "s3://bucket/secret",
    "settings": {"smtp": "password"},
    "parameters": "hidden",
    "kept_until": "2031-01-01",
}
"""What an entry may keep beside its act, and nobody is shown."""


# ---- every act is shown ---------------------------------------------------------------------------------------------


def _entries(patient: int = 0) -> Iterator[tuple[Act, Entry]]:
    """As the code writes them: by an act, by a reason, by the event alone; each with what is nobody's to read."""
    for act in Act:
        by_event = [event for event, one in OF_EVENT.items() if one == act]
        detail: dict[str, Any] = {"by": "Mme Essai", "account": 41, "client": "carnet", "phone": "7", **PLANTED}
        if act in BY_REASON:
            yield (
                act,
                Entry(
                    Event.RIGHTS, patient=patient, person=NURSE, organization=MSP, reason=f"{act}: more", detail=PLANTED
                ),
            )
        else:
            named = {} if by_event else {"act": act}
            event = by_event[0] if by_event else Event.RIGHTS
            yield act, Entry(event, patient=patient, person=NURSE, organization=MSP, detail={**named, **detail})


async def _account(world: World, number: int, key: Key) -> None:
    await world.raw.execute(
        "insert into account (account, username, fhir_patient, fhir_kind, fhir_res) values ($1, $2, $3, $4, $5)",
        number, f"a.{number}", *key,
    )  # fmt: skip


def _act_of(event: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in event["entity"] if one["type"].get("code") == "act"]
    return dict(found)


def _whats(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["what"] for one in event.get("entity", ()) if "what" in one]


async def test_every_act_says_what_about_whom_and_on_whose_word(world: World) -> None:
    await mandates.give(world.raw, world.vault, UNION, "Convention 2026-04")
    auditor = await world.auditor(UNION)
    await _account(world, 41, Key(0, kind_of("Practitioner"), DOCTOR))
    wanted = dict(_entries())
    await world.journal.record(list(wanted.values()))
    events = {
        _act_of(event)["name"]: event
        for event in await world.events(auditor, "_count=200&agent=" + _doctor(world, NURSE))
    }
    assert events.keys() == {act.code for act in Act}
    for act in Act:
        event = events[act.code]
        AuditEvent.model_validate(event)
        assert _act_of(event)["description"] == SAID[act]
        assert not any(str(secret) in str(event) for secret in PLANTED.values())
        assert len(event["subtype"]) == 1
        if act in BY_REASON:
            continue
        assert {"type": "by", "valueString": "Mme Essai"} in _act_of(event)["detail"]
        whats = _whats(event)
        assert _doctor(world, DOCTOR) in [one.get("reference") for one in whats]
        assert {"41", "carnet", "7"} <= {one.get("identifier", {}).get("value") for one in whats}
    assert [_act_of(event)["name"] for event in await world.events(auditor, "entity-name=mandate")] == [
        "mandate-over-the-journal"
    ]
    about = await world.events(auditor, f"_count=200&entity={_doctor(world, DOCTOR)}")
    assert len(about) == len(Act) - len(BY_REASON)


def _doctor(world: World, number: int) -> str:
    return f"Practitioner/{world.ids.encode(Key(0, kind_of('Practitioner'), number))}"


async def test_at_the_console_nobody_acted_and_the_columns_are_those_concerned(world: World) -> None:
    auditor = await world.auditor(MSP)
    await _account(world, 41, Key(0, kind_of("Practitioner"), DOCTOR))
    await world.journal.record(
        [
            Entry(
                Event.RIGHTS, organization=MSP, method="console", path="journal mandate", reason="Convention 12",
                detail={"act": Act.MANDATE, "by": "Mme Essai"},
            ),
            Entry(Event.RIGHTS, organization=MSP, person=DOCTOR, account=41, method="console", path="user suspend"),  # as it was
        ]
    )  # fmt: skip
    older, mandate = await world.events(auditor, "type=http://dicom.nema.org/resources/ontology/DCM|110113&_sort=-date")
    if _act_of(older)["name"] != "user suspend":
        older, mandate = mandate, older
    place = f"Organization/{world.ids.encode(Key(0, kind_of('Organization'), MSP))}"
    assert {"type": "by", "valueString": "Mme Essai"} in _act_of(mandate)["detail"]
    assert [place] == [one["reference"] for one in _whats(mandate)]
    for event in (older, mandate):
        assert "extension" not in event["agent"][0] and "reference" not in event["agent"][0]["who"]
        assert event["agent"][0]["who"]["display"] == "Liaison, at the console of the server"
    assert _doctor(world, DOCTOR) in [one.get("reference") for one in _whats(older)]
    about, by = [await world.events(auditor, f"{name}={_doctor(world, DOCTOR)}") for name in ("entity", "agent")]
    assert [one["id"] for one in about] == [older["id"]]
    assert by == []  # its columns say whom it concerned, and not who did it


def test_who_is_asked_for_as_an_agent_acted() -> None:
    """What older versions noted of the console has in its columns whom it concerned, and not who did it."""
    key = Key(0, kind_of("Practitioner"), DOCTOR)
    asked = audit_search.read("agent=Practitioner/x", lambda type_, id_: key, "http://here", datetime.now(UTC))
    typed = Entry(Event.RIGHTS, organization=MSP, person=DOCTOR, account=41, method="console", path="user suspend")
    assert [all(test(one) for test in asked.early) for one in (typed, typed._replace(method="POST"))] == [False, True]


async def test_a_refusal_says_why(world: World) -> None:
    auditor = await world.auditor(MSP)
    await world.journal.record(
        [Entry(Event.SIGN_IN, 4, person=DOCTOR, organization=MSP, status=403, detail={"check": "suspended"})]
    )
    (event,) = await world.events(auditor, "outcome=4")
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "403 suspended")


# ---- and to whom -----------------------------------------------------------------------------------------------------

OFFICERS_ALONE = {
    "RIGHTS": False,
    "EMERGENCY": False,
    "HOLD": True,
    "JOURNAL_READ": True,
    "EXPORT": True,
    "OPERATION": True,
    "JOB": True,
}
SECRETS = ("Mme Essai", "not-tell-person", "a.41", "Enquête")


async def _of_a_record(world: World) -> None:
    """One entry an event on the record of 1001: of an account of somebody in another record, and what an officer decided."""
    await _account(world, 41, Key(1002, kind_of("RelatedPerson"), 77))
    detail = {"act": Act.CASE_STEP, "step": "not-tell-person", "by": "Mme Essai", "account": 41}
    why = {"HOLD": "Enquête"}
    await world.journal.record(
        [
            Entry(Event[name], patient=1001, person=DOCTOR, organization=MSP, detail=detail, reason=why.get(name, ""))
            for name in OFFICERS_ALONE
        ]
    )


async def test_the_person_reads_neither_what_officers_decide_nor_who_has_an_account_elsewhere(world: World) -> None:
    await _of_a_record(world)
    await world.grant(1001, 500, "21", Relation.SELF, Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, 500)
    events = await world.events(person, f"patient={world.patient_id(1001)}")
    assert len(events) == len(OFFICERS_ALONE)
    assert not any(secret in str(events) for secret in SECRETS)
    assert sum(any(one["type"].get("code") == "act" for one in event["entity"]) for event in events) == 2
    assert await world.events(person, f"patient={world.patient_id(1001)}&entity-name=step") != events
    elsewhere = world.ids.encode(Key(1002, kind_of("RelatedPerson"), 77))
    for event in (*events, *await world.events(await world.auditor(MSP), f"patient={world.patient_id(1001)}")):
        assert elsewhere not in str(
            event
        )  # an officer reads the number of the account, and whose it is in no other record


async def test_a_leak_would_be_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: without the list of what is told to officers alone, the same reading shows the decision."""
    await _of_a_record(world)
    await world.grant(1001, 500, "21", Relation.SELF, Class.AUD)
    person = await world.session("patient", Purpose.PATRQT, 0, 500)
    monkeypatch.setattr(told, "OF_OFFICERS", frozenset())
    monkeypatch.setattr(told, "OF_THE_PERSON", told.SHOWN)
    monkeypatch.setattr(audit_event, "reason_of", lambda entry, officer: entry.reason)
    events = await world.events(person, f"patient={world.patient_id(1001)}")
    assert all(secret in str(events) for secret in ("Mme Essai", "not-tell-person"))
    assert "Enquête" in str(events)


@pytest.mark.parametrize(("event", "officer"), list(product(Event, (True, False))))
def test_an_event_tells_its_act_or_is_of_the_record_or_of_the_chains(event: Event, officer: bool) -> None:
    found = told_of(Entry(event), officer=officer)
    assert (found is not None) == (event in OF_EVENT and (officer or event not in told.OF_OFFICERS))
