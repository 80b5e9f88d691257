"""« La personne s'oppose » on the pages: what stops is said first; it counts at the next request; it waits to be confirmed."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal, team_writing
from liaison.fhir.store.contract import Request
from liaison.services.pages.opposing.confirming import due

from ...oauth.conftest import Place, field

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


async def said(browser: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    csrf = field((await browser.get(path)).text, "csrf")
    return await browser.post(path, data={"csrf": csrf, "means": "oral"} | form)


async def recorded(place: Place, tree: dict[str, Any]) -> str:
    """Written by the territory's maker; the id."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    answer = await place.house.engine.handle(
        maker, Request("POST", tree["resourceType"], "", orjson.dumps(tree), {"prefer": "return=representation"})
    )
    assert answer.status == 201, answer.body
    return str(orjson.loads(answer.body)["id"])


async def be_the_patient(place: Place) -> None:
    """The account called 'patient' is that of the patient of the nurse."""
    await place.house.database.writing.execute(
        "update account set fhir_patient = $1, fhir_kind = $2, fhir_res = $3 where username = 'patient'",
        *(place.house.store.key("Patient", place.patient) or ()),
    )


async def test_what_stops_is_said_before_anything_is_recorded(place: Place) -> None:
    path = f"/dossiers/{place.patient}/opposition"
    async with place.signed_in() as browser:
        for form in ({"act": "one"}, {"act": "service"}, {"act": "x"}, {}):
            assert (await said(browser, path, **form)).status_code == 400
        told = await said(browser, path, act="all")

        assert told.status_code == 200
        assert "Ce qui s'arrête" in told.text
        assert "Plus aucun professionnel n'ouvre ce dossier" in html.unescape(told.text)
        assert (await browser.get(f"/dossiers/{place.patient}")).status_code == 200


async def test_who_is_opposed_is_named_and_nothing_is_said_twice(place: Place) -> None:
    path = f"/dossiers/{place.patient}/opposition"
    async with place.signed_in() as browser:
        [(colleague, name), *_] = re.findall(r'value="(Practitioner[^"]*)">([^<]*)', (await browser.get(path)).text)
        for _number in range(2):
            step = {"description": "Peser chaque semaine.", "status": "requested", "intent": "order"}
            of = {"for": {"reference": f"Patient/{place.patient}"}, "owner": {"reference": colleague}}
            await recorded(place, {"resourceType": "Task", **step, **of})

        told = html.unescape((await said(browser, path, act="one", member=colleague)).text)

        assert re.search(rf"<strong>À ce qu'une personne voie son dossier.*{name.split(',')[0]}.*</strong>", told)
        assert (told.count("Peser chaque semaine."), told.count("..")) == (1, 0)
        assert (await said(browser, path, act="one", member="Practitioner/" + "0" * 32)).status_code == 400


async def test_the_person_opposes_in_their_own_words_and_goes_on_reading(place: Place) -> None:
    await be_the_patient(place)
    path = f"/dossiers/{place.patient}/opposition"
    async with place.signed_in("patient") as person:
        told = html.unescape((await person.get(path)).text) + html.unescape((await said(person, path, act="all")).text)

        assert "Je m'oppose" in told
        assert "vous continuez de le lire" in told
        assert "La personne s'oppose" not in told
        assert "vous non plus" not in told


async def test_what_closed_something_is_ended_for_the_person_by_who_asked_them(place: Place) -> None:
    path, wishes = f"/dossiers/{place.patient}/opposition", f"/dossiers/{place.patient}/accords"
    async with place.signed_in() as nurse:
        assert (await said(nurse, path, step="record", act="emergency")).status_code == 303
        ending = re.search(r'action="(/dossiers/[^"]+/retirer)"', (await nurse.get(wishes)).text)
        assert ending

        async def ended(**form: str) -> int:
            csrf = field((await nurse.get(wishes)).text, "csrf")
            return (await nurse.post(ending[1], data={"csrf": csrf} | form)).status_code

        assert await ended() == 400
        assert ending[1] in (await nurse.get(wishes)).text, "it stands"
        assert await ended(asked="yes") == 303
        assert ending[1] not in (await nurse.get(wishes)).text


async def test_the_record_is_closed_at_the_next_request_and_reopened_by_the_person_s_word(place: Place) -> None:
    path = f"/dossiers/{place.patient}/opposition"
    async with place.signed_in() as browser, place.signed_in() as elsewhere:
        assert (await elsewhere.get(f"/dossiers/{place.patient}")).status_code == 200
        csrf = field((await said(browser, path, act="all")).text, "csrf")
        form = {"csrf": csrf, "step": "record", "act": "all", "means": "paper"}
        refused = await browser.post(path, data=form, files={"scan": ("a.exe", b"MZ", "image/png")})
        assert refused.status_code == 400
        form["csrf"] = field(refused.text, "csrf")
        answer = await browser.post(path, data=form, files={"scan": ("a.png", PNG, "image/png")})
        assert "L'opposition est notée." in html.unescape((await browser.get(answer.headers["location"])).text)

        for one in (browser, elsewhere):
            for page in (f"/dossiers/{place.patient}", path, f"/dossiers/{place.patient}/documents"):
                assert (await one.get(page)).status_code == 404
        listed = await browser.get("/oppositions")
        assert "Patient LE GOFF" in listed.text
        assert "Confirmées, en vigueur" in listed.text
        id_ = re.search(r'action="/oppositions/([^"]+)"', listed.text)
        assert id_
        assert (
            f'href="/oppositions/{id_[1]}/document"' in listed.text
        )  # the record is closed: it is reached from here alone
        document = await browser.get(f"/oppositions/{id_[1]}/document")
        assert (document.content, document.headers["content-type"]) == (PNG, "image/png")
        assert document.headers["content-disposition"].startswith("attachment")

        decision = {"csrf": field(listed.text, "csrf"), "act": "withdraw"}
        assert (await browser.post(f"/oppositions/{id_[1]}", data=decision)).status_code == 400
        assert (await browser.post(f"/oppositions/{id_[1]}", data={**decision, "asked": "yes"})).status_code == 303
        assert (await elsewhere.get(f"/dossiers/{place.patient}")).status_code == 200


async def test_what_nobody_confirms_stays_in_force_and_on_top(place: Place) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    subject = f"Patient/{place.patient}"
    tree = team_writing.consent(subject, "opposition", "", long_ago, "oral", {"type": "deny"}, "proposed")
    id_ = await recorded(place, tree)
    async with place.signed_in() as browser, place.signed_in("dpo") as officer:
        assert (await browser.get(f"/dossiers/{place.patient}")).status_code == 404
        for desk in (await browser.get("/dossiers"), await officer.get("/avis")):
            assert re.search(r"1 opposition à confirmer</a> <strong[^>]*>1 en retard<", desk.text)
        listed = await browser.get("/oppositions")
        assert "1 en retard" in listed.text
        seen = (await officer.get("/oppositions")).text
        assert "1 en retard" in seen
        assert "LE GOFF" not in seen
        form = {"csrf": field(listed.text, "csrf"), "act": "confirm", "asked": "yes"}
        assert (await browser.post(f"/oppositions/{id_}", data=form)).status_code == 303
        assert "Confirmées, en vigueur" in (await browser.get("/oppositions")).text
        assert "1 opposition à confirmer" not in (await browser.get("/dossiers")).text
        assert (await browser.get(f"/dossiers/{place.patient}")).status_code == 404


async def test_what_is_noted_in_records_that_were_merged_is_one_card_and_decided_once(place: Place) -> None:
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    answer = await place.house.engine.handle(maker, Request("GET", "CareTeam", f"patient={place.patient}"))
    team = orjson.loads(answer.body)["entry"][0]["resource"]
    name, link = {"family": "LE GOFF", "given": ["Patient"]}, {"other": {"reference": f"Patient/{place.patient}"}}
    merged = {"resourceType": "Patient", "name": [name], "link": [{**link, "type": "replaced-by"}]}
    other = await recorded(place, merged)
    await recorded(place, {**team, "subject": {"reference": f"Patient/{other}"}})
    at = datetime.now(UTC)
    ids = set()
    for patient in (place.patient, other):
        wish = team_writing.consent(f"Patient/{patient}", "opposition", "", at, "oral", {"type": "deny"}, "proposed")
        ids.add(await recorded(place, wish))
    elsewhere = team_writing.consent(
        f"Patient/{other}", "opposition", "", at - timedelta(hours=1), "oral", {"type": "deny"}
    )
    apart = await recorded(place, elsewhere)

    async with place.signed_in() as browser:
        listed = await browser.get("/oppositions")
        [one, *others] = re.findall(r'action="/oppositions/([^"]+)"', listed.text)
        assert {one, field(listed.text, "also")} == ids
        assert others == [apart], "what was said at another time is another card"
        assert "Notée dans 2 dossiers" in listed.text
        form = {"csrf": field(listed.text, "csrf"), "act": "confirm", "asked": "yes"}
        assert (await browser.post(f"/oppositions/{one}", data={**form, "also": ["0" * 32]})).status_code == 404
        assert "2 oppositions à confirmer" in (await browser.get("/dossiers")).text, "nothing was confirmed"
        assert (await browser.post(f"/oppositions/{one}", data={**form, "also": [*ids - {one}]})).status_code == 303
        text = html.unescape((await browser.get("/oppositions")).text)
        assert "Aucune n'attend." in text
        assert "2 oppositions à tout partage" in text


async def test_an_opposition_that_is_dated_ahead_is_due_from_its_recording(place: Place) -> None:
    ahead = datetime.now(UTC) + timedelta(days=900)
    subject = f"Patient/{place.patient}"
    await recorded(place, team_writing.consent(subject, "opposition", "", ahead, "oral", {"type": "deny"}, "proposed"))
    async with place.signed_in() as browser:
        text = (await browser.get("/oppositions")).text

    by = re.search(r"À confirmer au plus tard [^<]*(\d{4})", text)
    assert by
    assert int(by[1]) <= datetime.now(UTC).year + 1


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-11-27T18:00:00+01:00", date(2026, 12, 2)),  # a Friday evening
        ("2026-12-22T09:00:00+01:00", date(2026, 12, 28)),  # over Christmas
        ("2026-11-28T23:30:00+00:00", date(2026, 12, 2)),  # Sunday already, in Paris
    ],
)
def test_three_working_days_are_counted_in_paris(at: str, day: date) -> None:
    assert due(datetime.fromisoformat(at)) == day


async def test_an_item_is_masked_from_its_page_and_shown_again(place: Place) -> None:
    note = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{place.patient}"},
        "sent": "2026-11-01",
        "payload": [{"contentString": "Une note à masquer"}],
    }
    item = f"Communication/{await recorded(place, note)}"
    await be_the_patient(place)
    documents = f"/dossiers/{place.patient}/documents"
    async with place.signed_in() as nurse, place.signed_in("patient") as person:
        assert "Une note à masquer" in (await nurse.get(documents)).text
        page = await person.get(documents)
        assert f'action="/dossiers/{place.patient}/masquer"' in page.text
        form = {"csrf": field(page.text, "csrf"), "item": item}
        assert (await person.post(f"/dossiers/{place.patient}/masquer", data=form)).status_code == 303
        assert "Une note à masquer" not in (await nurse.get(documents)).text
        assert "Masqué aux autres" in (await person.get(documents)).text

        wishes = await person.get(f"/dossiers/{place.patient}/accords")
        ending = re.search(r'action="(/dossiers/[^"]+/retirer)"', wishes.text)
        assert ending
        assert (await person.post(ending[1], data={"csrf": field(wishes.text, "csrf")})).status_code == 303
        assert "Une note à masquer" in (await nurse.get(documents)).text


async def test_nobody_outside_the_team_masks_or_reads_a_signed_form(place: Place) -> None:
    async with place.signed_in() as browser:
        csrf = field((await browser.get("/dossiers")).text, "csrf")
        form = {"csrf": csrf, "item": "Observation/" + "0" * 32}
        assert (await browser.post(f"/dossiers/{place.other_patient}/masquer", data=form)).status_code == 404
        assert (await browser.get(f"/oppositions/{'0' * 32}/document")).status_code == 404
        assert (await browser.get(f"/dossiers/{place.other_patient}/opposition")).status_code == 404


async def test_what_the_person_was_told_is_listed_with_how(place: Place) -> None:
    subject, now = f"Patient/{place.patient}", datetime.now(UTC)
    await recorded(place, team_writing.consent(subject, "information", "", now, "paper", {"type": "permit"}))
    async with place.signed_in() as browser:
        page = html.unescape((await browser.get(f"/dossiers/{place.patient}/accords")).text)
        listed = page.partition("La personne a été informée")[0]

    assert "Par écrit, feuille remise" in listed
    assert "À l'oral" not in listed
