"""The shared notebook on the pages: who will read is said before; a relative has this page and no other."""

import html
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.fhir.store.contract import Request

from ...oauth.conftest import Place, field, sign_in


async def write(place: Place, *trees: dict[str, Any]) -> list[str]:
    """As the territory's maker; the references."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    found = []
    for tree in trees:
        body = orjson.dumps(tree)
        request = Request("POST", tree["resourceType"], "", body, {"prefer": "return=representation"})
        answer = await place.house.engine.handle(maker, request)
        assert answer.status == 201, answer.body
        found.append(f"{tree['resourceType']}/{orjson.loads(answer.body)['id']}")
    return found


@pytest.fixture
async def relative(place: Place) -> str:
    """The account called 'patient' is, for once, the daughter of the patient of the nurse."""
    daughter = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{place.patient}"},
        "name": [{"family": "LE GOFF", "given": ["Soazig"]}],
        "relationship": [{"text": "Fille"}],
    }
    [reference] = await write(place, daughter)
    await place.house.database.writing.execute(
        "update account set fhir_patient = $1, fhir_kind = $2, fhir_res = $3 where username = 'patient'",
        *(place.house.store.key(*reference.split("/")) or ()),
    )
    return reference


async def name(browser: httpx.AsyncClient, patient: str, relative: str) -> httpx.Response:
    csrf = field((await browser.get(f"/dossiers/{patient}/accords")).text, "csrf")
    return await browser.post(f"/dossiers/{patient}/carnet/proche", data={"csrf": csrf, "proche": relative})


async def test_a_relative_who_is_named_writes_and_reads_and_it_ends_with_the_permission(
    place: Place,
    relative: str,
) -> None:
    carnet = f"/dossiers/{place.patient}/carnet"
    async with place.signed_in() as nurse, place.browser() as daughter:
        assert (await sign_in(daughter, "patient")).status_code == 403
        assert (await name(nurse, place.patient, "RelatedPerson/" + "0" * 32)).status_code == 404

        for _ in range(2):  # once more is no second permission, which would outlive the first
            assert (await name(nurse, place.patient, relative)).status_code == 303
        assert (await sign_in(daughter, "patient")).headers["location"] == "/"
        assert (await daughter.get("/")).headers["location"] == "/carnet"

        page = await daughter.get("/carnet")
        told = html.unescape(page.text)
        assert page.status_code == 200
        assert "Qui lira ce mot" in told
        assert "Soazig LE GOFF (fille)" in told
        assert "NURSE" not in told.partition("Qui lira")[2]  # functions, not names
        assert "<strong>Soazig LE GOFF</strong>" in told  # who is signed in, by her name
        form = {"csrf": field(page.text, "csrf"), "mot": "Elle a bien dormi."}
        assert (await daughter.post("/carnet", data=form)).status_code == 303
        assert (await daughter.post("/carnet", data={**form, "mot": " "})).status_code == 400
        for path in (f"/dossiers/{place.patient}", carnet, "/dossiers", f"/dossiers/{place.patient}/accords"):
            assert (await daughter.get(path)).status_code == 404

        seen = html.unescape((await nurse.get(carnet)).text)
        assert "Elle a bien dormi." in seen
        assert "Soazig LE GOFF (fille)" in seen
        csrf = field((await nurse.get(carnet)).text, "csrf")
        await nurse.post(carnet, data={"csrf": csrf, "mot": "Merci, à demain."})
        assert "Merci, à demain." in (await daughter.get("/carnet")).text

        wishes = (await nurse.get(f"/dossiers/{place.patient}/accords")).text
        ending = wishes.partition("/retirer")[0].rpartition('action="')[2] + "/retirer"
        await nurse.post(ending, data={"csrf": field(wishes, "csrf")})
        # The account of someone who is named no more lets in nowhere.
        assert (await daughter.get("/carnet")).headers["location"].startswith("/connexion")
        assert (await sign_in(daughter, "patient")).status_code == 403


async def test_a_note_is_no_message_of_the_record_and_the_other_way_round(
    place: Place,
    relative: str,
) -> None:
    other = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{place.patient}"},
        "payload": [{"contentString": "Entre soignants"}],
    }
    await write(place, other)
    async with place.signed_in() as nurse, place.browser() as daughter:
        await name(nurse, place.patient, relative)
        await sign_in(daughter, "patient")
        for browser, path in ((nurse, f"/dossiers/{place.patient}/carnet"), (daughter, "/carnet")):
            assert "Entre soignants" not in (await browser.get(path)).text


async def test_a_note_in_error_is_read_by_nobody(place: Place, relative: str) -> None:
    def note(status: str, words: str) -> dict[str, Any]:
        return {
            "resourceType": "Communication",
            "meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches"}]},
            "status": status,
            "subject": {"reference": f"Patient/{place.patient}"},
            "payload": [{"contentString": words}],
        }

    await write(place, note("completed", "Bien mangé"), note("entered-in-error", "Tombée ce matin"))
    async with place.signed_in() as nurse, place.browser() as daughter:
        await name(nurse, place.patient, relative)
        await sign_in(daughter, "patient")
        for browser, path in ((nurse, f"/dossiers/{place.patient}/carnet"), (daughter, "/carnet")):
            page = html.unescape((await browser.get(path)).text)
            assert "Bien mangé" in page
            assert "Tombée ce matin" not in page


async def test_a_relative_of_someone_else_is_not_named(place: Place) -> None:
    stranger = {"resourceType": "RelatedPerson", "patient": {"reference": f"Patient/{place.other_patient}"}}
    [reference] = await write(place, stranger)
    async with place.signed_in() as nurse:
        assert (await name(nurse, place.patient, reference)).status_code == 404
