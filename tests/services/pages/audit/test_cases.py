"""A case: who acted is suspended at one touch, the person told by a letter, each decision taken once."""

import asyncio

import httpx

from liaison.auth.journal.entry import Event

from ...oauth.conftest import Place, field, sign_in
from ..browsing import say, text
from .test_unusual import CASES, RULES, found_at_fault, held_up, told


async def test_the_access_is_suspended_at_one_touch_by_an_administrator(
    place: Place, officer: httpx.AsyncClient
) -> None:
    case = await found_at_fault(place, officer)
    suspensions = "/administration/suspensions"
    assert (await say(officer, case, etape="suspended", pourquoi="Moi")).status_code == 400
    assert (await say(officer, case, etape="ask-suspension")).status_code == 400
    async with place.signed_in("admin") as admin, place.signed_in("nurse") as nurse:
        assert "Aucune demande" in text(await admin.get(suspensions))
        await say(officer, case, etape="ask-suspension", pourquoi="En attendant l'employeur")
        shown = text(await admin.get(suspensions))
        assert "Camille NURSE" in shown
        assert "En attendant l'employeur" in shown
        assert place.other_patient[:6] not in shown
        assert (await nurse.get("/dossiers")).status_code == 200

        assert (await say(admin, suspensions, affaire="1")).status_code == 303

        assert (await nurse.get("/dossiers")).status_code == 303  # to sign in
        assert "Aucune demande" in text(await admin.get(suspensions))
        page = await admin.get("/administration/comptes")
        assert (
            await admin.post(suspensions, data={"affaire": "1", "csrf": field(page.text, "csrf")})
        ).status_code == 404
    async with place.browser() as again:
        assert (await sign_in(again, "nurse")).status_code != 303
    assert "Accès suspendu par un administrateur" in text(await officer.get(case))
    [suspended] = [
        one.detail for one in await told(place, Event.RIGHTS) if one.detail and one.detail.get("act") == "suspend"
    ]
    assert suspended["case"] == 1
    assert "Compte suspendu (Camille NURSE)" in text(await officer.get("/journal/recherche?role=admin"))


async def test_a_suspension_of_a_case_that_is_being_closed_is_not_done(
    place: Place, officer: httpx.AsyncClient
) -> None:
    case = await found_at_fault(place, officer)
    assert (await say(officer, case, etape="ask-suspension", pourquoi="En attendant")).status_code == 303
    async with place.signed_in("admin") as admin:
        async with place.house.database.writing.acquire() as closing, closing.transaction():
            await closing.execute("update review_case set closed_at = now()")
            suspending = asyncio.create_task(say(admin, "/administration/suspensions", affaire="1"))
            await held_up(place, suspending)

        assert (await suspending).status_code == 404

    kinds = await place.house.database.reading.fetch("select kind from case_step")
    assert [one["kind"] for one in kinds] == ["ask-suspension"]


async def test_a_case_is_closed_once_both_decisions_are_taken(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)
    assert (await say(officer, case, etape="close", pourquoi="Fini")).status_code == 409
    steps = {
        "ask-employer": "Courrier du jour",
        "employer-answered": "Avertissement donné",
        "not-tell-person": "Rien n'a été lu",
        "not-notify": "Sans risque pour la personne : rien n'a été lu",
        "close": "Tout est décidé",
    }
    for step, why in steps.items():
        assert (await say(officer, case, etape=step, pourquoi=why)).status_code == 303, step

    shown = await officer.get(case)
    assert all(why in text(shown) for why in steps.values())
    assert "Il reste" not in text(shown)
    assert 'name="etape"' not in shown.text
    assert "Suivre l’affaire" not in text(await officer.get("/avis"))
    page = await officer.get(RULES)
    late = {"etape": "notify", "pourquoi": "Tard", "csrf": field(page.text, "csrf")}
    assert (await officer.post(case, data=late)).status_code == 409
    sheet = await officer.get(f"{case}/feuille")
    assert (sheet.headers["content-type"], sheet.content[:5]) == ("application/pdf", b"%PDF-")
    written = bytes(sheet.content)
    for words in ("Affaire nº 1", "Avertissement donné", "Camille NURSE", "Aucune raison", "Ce qui est inhabituel"):
        assert words.encode("cp1252").hex().encode() in written, words
    assert b"LE GOFF".hex().encode() not in written
    [export] = await told(place, Event.EXPORT)
    assert export.detail == {"act": "sheet of a case", "case": 1}


async def test_a_decision_is_taken_once_and_nobody_is_untold(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)
    decided = [
        ("not-tell-person", 303), ("not-tell-person", 409), ("tell-person", 303), ("not-tell-person", 409),
        ("tell-person", 409), ("close", 409), ("notify", 303), ("not-notify", 409), ("close", 303),
    ]  # fmt: skip

    for number, (step, status) in enumerate(decided):
        said = await say(officer, case, etape=step, pourquoi=f"Raison {number}")
        assert (number, said.status_code) == (number, status)
        if status == 409:
            assert "se décident une fois" in text(said)
            assert f'value="{step}"' not in said.text
    kinds = await place.house.database.reading.fetch("select kind from case_step order by step")
    assert [one["kind"] for one in kinds] == [step for step, status in decided if status == 303]


async def test_whoever_is_to_be_told_has_a_letter_and_it_is_noted(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)
    letter, done = f"{case}/lettre", {"etape": "person-told", "pourquoi": "Lettre du jour"}
    assert (await say(officer, case, letter)).status_code == 404  # nothing is decided
    assert (await say(officer, case, **done)).status_code == 409
    assert (await say(officer, case, etape="tell-person", pourquoi="Elle doit le savoir")).status_code == 303
    assert "suivi par une autre structure" in text(await officer.get(case))
    assert (await say(officer, case, letter)).status_code == 404  # nor is the record of theirs
    await place.house.database.writing.execute(
        "insert into audit_mandate (organization, convention) select organization, 'C 1' from access_session"
        " where role_code = 'dpo' and ended_at is null limit 1"
    )

    assert "Personne à informer" in text(await officer.get(CASES))
    sheet = await say(officer, case, letter)
    written = bytes(sheet.content)
    assert (sheet.headers["content-type"], written[:5]) == ("application/pdf", b"%PDF-")
    for words in ("LE GOFF", "Camille NURSE", "article 34"):
        assert words.encode("cp1252").hex().encode() in written, words
    [export] = await told(place, Event.EXPORT)
    assert (export.patient != 0, export.reason, export.detail) == (
        True, "Elle doit le savoir", {"act": "letter of a case", "case": 1},
    )  # fmt: skip
    assert (await say(officer, case, **done)).status_code == 303
    assert "La personne est informée" in text(await officer.get(case))
    assert "Personne à informer" not in text(await officer.get(CASES))
    assert (await say(officer, case, letter)).status_code == 404
