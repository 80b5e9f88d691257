"""Carnet partagé: whom the person has named reads and writes notes of visibility « proches » and sees the visits, nothing else."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

from .pieces import label, moment
from .territory import item

Tree = dict[str, Any]
PROCHES: Tree = {"meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches"}]}}


async def named(territory: Any, *team: Any) -> tuple[Any, Any, str]:
    """A patient, the session of a relative whom they have named for the notebook, and the Consent."""
    patient = await territory.patient(*team)
    relative = await territory.create(territory.system, territory.item_of(patient, "RelatedPerson"))
    provision = {
        "type": "permit",
        "actor": [territory.actor(relative)],
        "securityLabel": territory.classes("PROCHES", "APPT"),
    }
    consent = await territory.create(territory.system, territory.consent(patient, provision=provision))
    return patient, await territory.as_oneself(relative, "caregiver"), consent


async def test_a_relative_reads_the_notebook_and_the_visits_and_nothing_else(territory: Any) -> None:
    gp = await territory.person("gp")
    patient, relative, _ = await named(territory, gp)
    note = await territory.item(patient, "Communication", **PROCHES)
    visit = await territory.item(patient, "Appointment")
    hidden = [
        await territory.item(patient, type_)
        for type_ in ("Communication", "Condition", "CarePlan", "Flag", "Task", "DocumentReference", "RelatedPerson")
    ]
    hidden.append(await territory.item(patient, **territory.vital()))

    assert await territory.sees(relative, note)
    assert await territory.sees(relative, visit)
    for one in (*hidden, patient.reference, patient.made["team"]):
        assert not await territory.sees(relative, one), one
    assert await territory.search(relative, "Communication") == [note]
    assert await territory.search(relative, "Patient") == []


async def test_a_relative_writes_notes_and_nothing_else(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient, relative, _ = await named(territory, gp, aide)
    service = await territory.organization("Aide à domicile")
    other = await territory.patient(gp)
    note = territory.item_of(patient, "Communication", **PROCHES, recipient=[{"reference": service}])

    written = await territory.create(relative, note)
    assert await territory.sees(gp.caller, written)
    for tree in (
        territory.item_of(patient, "Communication"),
        territory.item_of(patient, "Appointment"),
        territory.item_of(patient, **territory.vital(), **PROCHES),
    ):
        assert (await territory.ask(relative, "POST", tree["resourceType"], tree)).status == 403
    elsewhere = territory.item_of(other, "Communication", **PROCHES)
    assert (await territory.ask(relative, "POST", "Communication", elsewhere)).status == 422
    lifted = await territory.change(relative, written, **label("COORD"))
    assert lifted.status == 403


NAME: Tree = {"name": [{"family": "Robic", "given": ["Laurent", "Yves"]}], "relationship": [{"text": "Fils"}]}


def signed(patient: Any, sender: Tree, **more: Any) -> Tree:
    return item(patient, "Communication", **PROCHES, sender=sender, **more)


async def test_a_relative_signs_what_they_write_and_nobody_else_does(territory: Any) -> None:
    """Under a doctor's name a note would be an order."""
    gp = await territory.person("gp")
    patient, relative, _ = await named(territory, gp)
    me, other = relative_of(territory, relative, patient), await territory.item(patient, "RelatedPerson")

    mine = await territory.create(relative, signed(patient, {"reference": me}))
    nobody = await territory.create(relative, territory.item_of(patient, "Communication", **PROCHES))

    assert (await territory.tree(mine, gp.caller))["sender"] == {"reference": me}
    others = (
        {"reference": gp.practitioner},
        {"reference": gp.role},
        {"reference": patient.reference},
        {"reference": other},
        {"display": "Dr Guillemot"},
        {"reference": me, "display": "Dr Guillemot"},
        {"reference": me, "identifier": {"value": "10003456789"}},
        {"identifier": {"value": "10003456789"}},
    )
    for sender in others:
        refused = await territory.ask(relative, "POST", "Communication", signed(patient, sender))
        assert (refused.status, b"Communication.sender" in refused.body) == (422, True), (sender, refused.body)
        for note in (mine, nobody):
            assert (await territory.change(relative, note, sender=sender)).status == 422, sender
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": signed(patient, others[0]), "request": {"method": "POST", "url": "Communication"}}],
    }
    assert (await territory.ask(relative, "POST", "", bundle)).status == 422
    paper = {
        **territory.item_of(patient, "DocumentReference", **PROCHES),
        "type": {"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote",
                             "code": "01"}]},
    }  # fmt: skip
    for element in ({"author": [{"reference": me}, others[0]]}, {"authenticator": others[0]}):
        assert (await territory.ask(relative, "POST", "DocumentReference", {**paper, **element})).status == 422, element
    assert (
        await territory.ask(relative, "POST", "DocumentReference", {**paper, "author": [{"reference": me}]})
    ).status == 201


def relative_of(territory: Any, caller: Any, patient: Any) -> str:
    """The reference of who is signed in as someone close to the patient."""
    key = Key(territory.key(patient.reference).patient, kind_of("RelatedPerson"), caller.practitioner)
    return f"RelatedPerson/{territory.store.id(key)}"


@pytest.mark.parametrize("shown", ["Laurent Robic", "ROBIC Laurent", "Laurent Yves Robic", "Laurent Robic (fils)"])
async def test_the_name_shown_beside_is_theirs(territory: Any, shown: str) -> None:
    patient, relative, _ = await named(territory, await territory.person("gp"))
    me = relative_of(territory, relative, patient)
    await territory.change(territory.system, me, **NAME)

    await territory.create(relative, signed(patient, {"reference": me, "display": shown}))

    other = signed(patient, {"reference": me, "display": f"Dr {shown}"})
    assert (await territory.ask(relative, "POST", "Communication", other)).status == 422


async def test_what_a_professional_wrote_is_not_changed_by_a_relative(territory: Any) -> None:
    gp = await territory.person("gp")
    patient, relative, _ = await named(territory, gp)
    theirs = await territory.create(gp.caller, signed(patient, {"reference": gp.role}))
    mine = await territory.create(relative, signed(patient, {"reference": relative_of(territory, relative, patient)}))
    words = [{"contentString": "Arrêtez le traitement du soir"}]

    assert (await territory.change(relative, theirs, payload=words)).status == 403
    assert (await territory.change(relative, mine, payload=words)).status == 200


async def test_staff_record_what_another_said(territory: Any) -> None:
    """A nurse writes down what the doctor told; the journal has who wrote."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await territory.create(nurse.caller, signed(patient, {"reference": gp.role, "display": "Dr Guillemot"}))


@pytest.mark.parametrize("how", ["withdrawn", "over", "opposed"])
async def test_with_the_permission_everything_is_gone_at_the_next_request(territory: Any, how: str) -> None:
    gp = await territory.person("gp")
    patient, relative, consent = await named(territory, gp)
    note = await territory.item(patient, "Communication", **PROCHES)
    assert await territory.sees(relative, note)

    if how == "withdrawn":
        await territory.change(territory.system, consent, status="inactive")
    elif how == "over":
        tree = await territory.tree(consent)
        ended = {**tree["provision"], "period": {"end": moment(days=1)}}
        await territory.change(territory.system, consent, provision=ended)
    else:
        await territory.create(gp.caller, territory.consent(patient, "opposition", {"type": "deny"}))

    assert not await territory.sees(relative, note)
    tree = territory.item_of(patient, "Communication", **PROCHES)
    assert (await territory.ask(relative, "POST", "Communication", tree)).status in (403, 404, 422)


async def test_the_aide_reads_what_is_addressed_to_her_service(territory: Any) -> None:
    service, elsewhere = await territory.organization("Aide à domicile"), await territory.organization("Autre")
    gp, aide = await territory.person("gp"), await territory.person("home-aide", service)
    patient, relative, _ = await named(territory, gp, aide)
    mine, not_mine = [
        await territory.create(
            relative, territory.item_of(patient, "Communication", **PROCHES, recipient=[{"reference": one}])
        )
        for one in (service, elsewhere)
    ]

    assert await territory.sees(aide.caller, mine)
    assert not await territory.sees(aide.caller, not_mine)
