"""$merge and $unmerge: two records of one person; nothing moves, and nobody sees more than before."""

from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access.identity import matricules

from .arrivals import INS, parameters, registered, said, traits
from .territory import item
from .test_oppositions import operation

pytestmark = pytest.mark.alone

Tree = dict[str, Any]
LOCAL = {"use": "usual", "system": "https://hopital.example/ipp", "value": "H1"}


async def merged(territory: Any, who: Any, source: str, target: str) -> Any:
    named = {"source-patient": source, "target-patient": target}
    parts = [{"name": name, "valueReference": {"reference": reference}} for name, reference in named.items()]
    return await territory.ask(who.caller, "POST", "Patient/$merge", {"resourceType": "Parameters", "parameter": parts})


async def test_what_is_merged_moves_nothing_and_comes_apart_again(territory: Any) -> None:
    gp, colleague = [await territory.person(role) for role in ("gp", "nurse")]
    auditor = await territory.mandated()
    stays = await registered(territory, gp)
    double = await territory.patient(gp, colleague, identifier=[LOCAL])
    goes, note = double.reference, await territory.item(double, "Condition")
    before = await territory.tree(goes, gp.caller)

    answer = await merged(territory, gp, goes, stays)

    assert said(answer) == {"result": "merged", "patient": stays}
    old, kept = await territory.tree(goes, gp.caller), await territory.tree(stays, gp.caller)
    assert (old["active"], old["link"]) == (False, [{"other": {"reference": stays}, "type": "replaced-by"}])
    assert [one["use"] for one in old["identifier"]] == ["old"]
    assert kept["link"] == [{"other": {"reference": goes}, "type": "replaces"}]
    assert kept["identifier"] == traits()["identifier"]
    # The teams are not united: who saw one record sees that one, and its content is where it was.
    assert await territory.sees(colleague.caller, note)
    assert not await territory.sees(colleague.caller, stays)
    for one in (goes, stays):
        assert len(await territory.search(auditor.caller, f"Task?patient={one}")) == 1
    assert (await merged(territory, gp, goes, stays)).status == 409

    answer = await territory.ask(gp.caller, "POST", f"{goes}/$unmerge", None)
    assert said(answer) == {"result": "unmerged", "patient": goes}
    after = await territory.tree(goes, gp.caller)
    assert {**after, "meta": None} == {**before, "meta": None}
    assert "link" not in await territory.tree(stays, gp.caller)
    assert (await territory.ask(gp.caller, "POST", f"{goes}/$unmerge", None)).status == 409


async def test_what_begins_anew_is_written_in_the_record_that_stays(territory: Any) -> None:
    """By who sees it. What stands in the other goes on there; who sees that one alone goes on; nobody's opposition waits."""
    gp, colleague = await territory.person("gp"), await territory.person("nurse")
    stays, double = await registered(territory, gp), await territory.patient(gp, colleague)
    goes, visit = double.reference, await territory.item(double, "Encounter")
    assert (await merged(territory, gp, goes, stays)).status == 200
    new = item(double)
    entry = {"resource": new, "request": {"method": "POST", "url": "Observation"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    for path, body in (("Observation", new), ("", bundle), ("CareTeam", territory.team(double, [gp]))):
        answer = await territory.ask(gp.caller, "POST", path, body)
        assert (answer.status, stays.encode() in answer.body) == (422, True), answer.body
    denied = territory.consent(
        double, "opposition", {"type": "deny", "actor": [territory.actor(colleague.practitioner)]}
    )
    assert (await territory.ask(colleague.caller, "POST", "Observation", new)).status == 201
    for path, body in (
        ("Observation", {**new, "subject": {"reference": stays}}),
        ("Observation", {**new, "encounter": {"reference": visit}}),
        ("Consent", denied),
    ):
        answer = await territory.ask(gp.caller, "POST", path, body)
        assert answer.status == 201, answer.body
    assert (await territory.ask(gp.caller, "POST", f"{goes}/$unmerge", None)).status == 200
    assert (await territory.ask(gp.caller, "POST", "Observation", new)).status == 201


async def test_a_person_is_found_in_the_record_that_stays(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("nurse")
    stays = await registered(territory, gp)
    double = {name: value for name, value in traits().items() if name != "identifier"}
    goes = (await territory.patient(gp, **double)).reference
    assert (await merged(territory, gp, goes, stays)).status == 200

    answer = await territory.ask(other.caller, "POST", "Patient/$join", parameters(traits(), means="oral"))

    assert said(answer) == {"result": "joined", "patient": stays}
    assert not await territory.sees(other.caller, goes)


async def test_two_matricules_are_two_people_and_the_one_with_a_matricule_stays(territory: Any) -> None:
    gp = await territory.person("gp")
    first = await registered(territory, gp)
    second = (await territory.patient(gp, identifier=[{"system": INS, "value": "147042A00400184"}])).reference
    without = (await territory.patient(gp)).reference
    assert matricules(await territory.tree(second, gp.caller))
    assert (await merged(territory, gp, first, second)).status == 422
    assert (await merged(territory, gp, first, without)).status == 422
    assert (await merged(territory, gp, first, first)).status == 400
    assert (await merged(territory, gp, without, first)).status == 200


async def test_records_that_another_system_gave_one_matricule_are_merged(territory: Any) -> None:
    gp = await territory.person("gp")
    number = [{"system": INS, "value": "147042A00400184"}]
    one, two = [(await territory.patient(gp, identifier=number)).reference for _ in range(2)]
    assert (await merged(territory, gp, one, two)).status == 200


async def test_a_hidden_record_is_merged_with_nothing(territory: Any) -> None:
    gp, other, aide = [await territory.person(role) for role in ("gp", "gp", "home-aide")]
    mine, theirs = await territory.patient(gp, aide), await territory.patient(other, aide)
    nobody = "Patient/" + "0" * 32
    answers = [await merged(territory, gp, *pair) for pair in (
        (mine.reference, theirs.reference), (theirs.reference, mine.reference), (mine.reference, nobody))]  # fmt: skip
    assert [answer.status for answer in answers] == [404] * 3
    assert len({answer.body for answer in answers}) == 1
    assert (await merged(territory, aide, mine.reference, theirs.reference)).status == 403


ETREAT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}


@pytest.mark.parametrize("said_in", ["the one that goes", "the one that stays", "the one that goes, afterwards"])
async def test_what_the_person_opposes_in_one_record_holds_in_both(territory: Any, said_in: str) -> None:
    """It was the person who said it, not the record."""
    gp, pharmacist, doctor = [await territory.person(role) for role in ("gp", "pharmacist", "hospital-doctor")]
    stays = await registered(territory, gp)
    double = await territory.patient(gp, pharmacist)
    team = territory.team(SimpleNamespace(reference=stays), [pharmacist])
    await territory.create(territory.system, team)
    assert await territory.sees(pharmacist.caller, stays)
    assert await territory.sees(pharmacist.caller, double.reference)
    where = stays if said_in.endswith("stays") else double.reference

    async def oppose() -> None:
        for more in ({"against": {"reference": pharmacist.role}}, {"emergency": True}):
            answer = await territory.ask(gp.caller, "POST", f"{where}/$oppose", operation(means="oral", **more))
            assert answer.status < 300, answer.body

    if not said_in.endswith("afterwards"):
        await oppose()
    assert (await merged(territory, gp, double.reference, stays)).status == 200
    if said_in.endswith("afterwards"):
        await oppose()

    for one in (stays, double.reference):
        assert not await territory.sees(pharmacist.caller, one)
    body = parameters(traits(), reason="Trouvée inconsciente, ne peut répondre")
    assert (await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)).status == 404
    assert (await territory.ask(gp.caller, "POST", f"{double.reference}/$unmerge", None)).status == 200
    for one in (stays, double.reference):
        assert not await territory.sees(pharmacist.caller, one)


async def test_an_opposition_within_a_permission_holds_in_both_without_it(territory: Any) -> None:
    """A rule within a rule is in force; what is permitted beside it is of the record in which it was said."""
    gp, pharmacist, other = [await territory.person(role) for role in ("gp", "pharmacist", "physio")]
    stays = await registered(territory, gp)
    double = await territory.patient(gp)
    await territory.create(territory.system, territory.team(SimpleNamespace(reference=stays), [pharmacist]))
    denied = {"type": "deny", "actor": [territory.actor(pharmacist.practitioner)]}
    stated = {"type": "permit", "actor": [territory.actor(other.practitioner)], "provision": [denied]}
    await territory.create(territory.system, territory.consent(double, "sharing", stated))
    assert await territory.sees(pharmacist.caller, stays)

    assert (await merged(territory, gp, double.reference, stays)).status == 200

    assert not await territory.sees(pharmacist.caller, stays)
    assert not await territory.sees(other.caller, stays)


async def test_a_masking_stays_with_its_item_and_refuses_nobody_the_other_record(territory: Any) -> None:
    """Whoever merges may not know of the item: the masking they are shown names none, as if it opposed everything."""
    gp, specialist, nurse = [await territory.person(role) for role in ("gp", "specialist", "nurse")]
    stays = await registered(territory, gp)
    double = await territory.patient(gp, specialist, nurse)
    await territory.create(territory.system, territory.team(SimpleNamespace(reference=stays), [nurse]))
    item = {"resourceType": "Condition", "subject": {"reference": double.reference}, "code": {"text": "Fatigue"}}
    problem = await territory.create(specialist.caller, item)
    data = [{"meaning": "instance", "reference": {"reference": problem}}]
    await territory.create(territory.system, territory.consent(double, "masking", {"type": "deny", "data": data}))
    before = await territory.search(territory.system, "Consent?_count=100")

    assert (await merged(territory, gp, double.reference, stays)).status == 200

    assert await territory.search(territory.system, "Consent?_count=100") == before
    for one in (stays, double.reference):
        assert await territory.sees(nurse.caller, one)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with an opposition in it"])
async def test_a_masking_stays_with_its_item_and_closes_no_record(territory: Any, beside: bool) -> None:
    gp, nurse, pharmacist = [await territory.person(role) for role in ("gp", "nurse", "pharmacist")]
    stays = await registered(territory, gp)
    await territory.create(territory.system, territory.team(SimpleNamespace(reference=stays), [nurse, pharmacist]))
    double = await territory.patient(gp, nurse)
    note = await territory.item(double, "Communication")
    masking: Tree = {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": note}}]}
    denied = {"type": "deny", "actor": [territory.actor(pharmacist.practitioner)]}
    provision = {"provision": [masking, denied]} if beside else masking
    await territory.create(territory.system, territory.consent(double, "masking", {"type": "permit", **provision}))

    assert (await merged(territory, gp, double.reference, stays)).status == 200

    assert await territory.sees(nurse.caller, stays)
    assert await territory.sees(gp.caller, stays)
    assert await territory.sees(pharmacist.caller, stays) is not beside
    assert not await territory.sees(nurse.caller, note)
    assert len(await territory.search(territory.system, f"Consent?patient={stays}&category=masking")) == int(beside)


PHONE = [{"system": "phone", "value": "0102030405"}]


async def test_who_sees_one_of_two_merged_records_is_not_told_of_the_other(territory: Any) -> None:
    gp, colleague, other = [await territory.person(role) for role in ("gp", "nurse", "physio")]
    stays = await registered(territory, gp)
    team = {"resourceType": "CareTeam", "status": "active", "subject": {"reference": stays}}
    await territory.create(territory.system, team | {"participant": [{"member": {"reference": other.role}}]})
    goes = (await territory.patient(gp, colleague, identifier=[LOCAL])).reference
    assert (await merged(territory, gp, goes, stays)).status == 200

    for who, reference, hidden in ((other, stays, goes), (colleague, goes, stays)):
        for path in (
            reference,
            f"{reference}/_history",
            f"Patient?_id={reference.partition('/')[2]}",
            f"{reference}/$everything",
        ):
            answer = await territory.ask(who.caller, "GET", path)
            assert answer.status == 200
            assert hidden.partition("/")[2] not in answer.body.decode()
        assert await territory.search(who.caller, f"Patient?link={hidden}") == []
        shown = await territory.tree(reference, who.caller)
        assert "link" not in shown
        assert (
            await territory.ask(who.caller, "POST", f"{reference}/$unmerge", None)
        ).status == 409  # as if it were not
        # They go on keeping the record: by a patch, which leaves what is not shown; the copy is not written back.
        assert (await territory.ask(who.caller, "PUT", reference, shown | {"telecom": PHONE})).status == 422
        patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
            {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Patient"},
            {"name": "name", "valueString": "telecom"}, {"name": "value", "valueContactPoint": PHONE[0]}]}]}  # fmt: skip
        assert (await territory.ask(who.caller, "PATCH", reference, patch)).status == 200
        whole = await territory.tree(reference, gp.caller)
        assert (whole["telecom"], whole["link"][0]["other"]["reference"]) == (PHONE, hidden)
    assert (await territory.change(gp.caller, stays, telecom=PHONE)).status == 200
    assert await territory.search(gp.caller, f"Patient?link={goes}") == [stays]
    assert (await territory.ask(gp.caller, "POST", f"{goes}/$unmerge", None)).status == 200
