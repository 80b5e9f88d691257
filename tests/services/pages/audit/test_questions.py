"""The desk of the journal: six questions, and answers whose address is the question."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind

from ...oauth.conftest import Place
from ..browsing import say, text
from .conftest import by_nurse, patient_key

SEARCH = "/journal/recherche"


def links(answer: httpx.Response, words: str) -> list[str]:
    """The addresses of links with these words."""
    found = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', answer.text, re.DOTALL)
    return [html.unescape(address) for address, inside in found if words in html.unescape(inside)]


async def test_the_desk_opens_on_the_questions(officer: httpx.AsyncClient) -> None:
    shown = await officer.get("/journal")

    for question in (
        "Qui a vu ce dossier ?",
        "Qu'a fait ce professionnel ?",
        "Accès d'urgence à revoir",
        "Le journal est-il intact ?",
        "Répondre à un patient",
    ):
        [address] = links(shown, question)
        assert address.startswith("#") or (await officer.get(address)).status_code == 200


async def test_the_desk_says_how_far_its_officer_reads_and_by_which_convention(
    place: Place, officer: httpx.AsyncClient
) -> None:
    assert "Vous lisez ce qui touche votre structure" in text(await officer.get("/journal"))
    await place.house.database.writing.execute(
        "insert into audit_mandate (organization, convention)"
        " select organization, 'Convention du 12 mars' from held_role where role_code = 'dpo' limit 1"
    )
    assert "tout le territoire : Convention du 12 mars." in text(await officer.get("/journal"))

    async with place.house.database.writing.acquire() as connection:
        held = await connection.fetchval("select organization from audit_mandate")
        for code in ("given", "ended"):
            await notices.tell(connection, Kind.MANDATE, held, code=code)
    told = text(await officer.get("/avis"))
    assert "Qui lit tout le journal a changé" in told
    assert "Maison de santé de Kervanec : ses auditeurs lisent tout le journal" in told
    assert "Maison de santé de Kervanec : ses auditeurs ne lisent plus tout le journal" in told


async def test_a_professional_is_chosen_by_name_and_their_visits_are_told_without_names_of_patients(
    place: Place, officer: httpx.AsyncClient
) -> None:
    found = await say(officer, "/journal/professionnels", name="nurse")
    [address] = links(found, "Camille NURSE")
    shown = await officer.get(address)

    assert "Infirmier, Maison de santé de Kervanec" in text(found)
    assert "Qu'a fait ce professionnel ?" in text(shown)
    assert f"Dossier {place.patient[:6]}" in text(shown)
    assert "LE GOFF" not in shown.text
    assert "Connexion" in text(shown)


async def test_a_name_of_one_letter_is_not_looked_for(officer: httpx.AsyncClient) -> None:
    answer = await say(officer, "/journal/professionnels", name="n")

    assert answer.status_code == 400
    assert "deux lettres" in text(answer)


async def test_a_facet_narrows_to_what_it_counts_and_is_taken_away(place: Place, officer: httpx.AsyncClient) -> None:
    whole = await officer.get(f"/journal/dossiers/{place.patient}")
    [narrowed] = [one for one in links(whole, "Infirmier") if "role=nurse" in one]
    answer = await officer.get(narrowed)

    assert ("role", "nurse") in parse_qsl(urlsplit(narrowed).query)
    assert "Rôle : Infirmier Retirer" in text(answer)
    assert "Infirmier (1) Choisi" in text(answer)  # where there were others to choose
    assert "Camille NURSE" in text(answer)
    [back] = links(answer, "Retirer")
    assert "role" not in dict(parse_qsl(urlsplit(back).query))
    nobody = await officer.get(f"{SEARCH}?dossier={place.patient}&role=gp")
    assert "0 visite" in text(nobody)


async def test_hours_and_days_are_a_table_with_numbers(place: Place, officer: httpx.AsyncClient) -> None:
    shown = await officer.get(f"/journal/dossiers/{place.patient}")
    table = re.search(r"<table class=\"liaison-heat\">.*?</table>", shown.text, re.DOTALL)
    assert table
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table[0], re.DOTALL)]

    assert len(cells) == 24 * 7
    visits = re.search(r"(\d+) visites?", text(shown))
    assert visits
    assert sum(map(int, cells)) == int(visits[1]) > 0
    assert "heures de Paris" in text(shown)


async def test_the_line_of_an_expert_becomes_the_address(place: Place, officer: httpx.AsyncClient) -> None:
    line = f"dossier:{place.patient} role:nurse du:2020-01-01"
    answer = await officer.get(SEARCH, params={"q": line})
    assert answer.status_code == 303
    shown = await officer.get(answer.headers["location"])

    assert dict(parse_qsl(urlsplit(answer.headers["location"]).query)) == {
        "dossier": place.patient,
        "role": "nurse",
        "du": "2020-01-01",
    }
    assert f'value="{line}"' in shown.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("nurse", "« nurse » ne se comprend pas", id="no name"),
        pytest.param("metier:nurse", "« metier » n'est pas un critère", id="unknown name"),
        pytest.param("heure:24", "« 24 » n'est pas une valeur", id="hour"),
        pytest.param("jour:8", "« 8 » n'est pas une valeur", id="day of the week"),
        pytest.param("motif:VENTE", "« VENTE » n'est pas une valeur", id="reason"),
        pytest.param("du:2026-02-30", "« 2026-02-30 » n'est pas un jour", id="day"),
        pytest.param("du:2026-02-02 au:2026-02-01", "avant le premier", id="backward"),
        pytest.param("du:2026-01-01 au:2026-02-01", "31 jours au plus", id="too long"),
        pytest.param("dossier:<b>", "n'est pas une valeur", id="markup"),
    ],
)
async def test_what_is_not_understood_is_named(officer: httpx.AsyncClient, line: str, words: str) -> None:
    answer = await officer.get(SEARCH, params={"q": line}, follow_redirects=True)

    assert answer.status_code == 400
    assert words in text(answer)
    assert "<b>" not in answer.text


async def test_a_line_of_the_journal_is_unfolded(place: Place, officer: httpx.AsyncClient) -> None:
    shown = await officer.get(f"{SEARCH}?dossier={place.patient}&role=nurse")
    address = re.search(r'href="(/journal/lignes/[^"]+)"', shown.text)
    assert address
    raw = html.unescape((await officer.get(address[1])).text)

    assert '"resourceType": "AuditEvent"' in raw
    assert f"Patient/{place.patient}" in raw
    assert (await officer.get("/journal/lignes/nothing")).status_code == 404


async def test_reading_the_journal_is_itself_an_entry_on_the_person(place: Place, officer: httpx.AsyncClient) -> None:
    count = "select count(*) from journal_entry where event = 50 and patient = $1"
    about = place.house.audit.patient(place.patient)
    before = await place.house.database.reading.fetchval(count, about)
    await officer.get(f"{SEARCH}?dossier={place.patient}&role=nurse")

    assert await place.house.database.reading.fetchval(count, about) == before + 1


@pytest.mark.parametrize("who", ["nurse", "patient", "admin"])
@pytest.mark.parametrize(
    "path", [SEARCH, "/journal/professionnels", "/journal/repondre", "/journal/lignes/x", "/journal"]
)
async def test_the_desk_is_there_for_officers_alone(place: Place, who: str, path: str) -> None:
    async with place.signed_in(who) as browser:
        assert (await browser.get(path)).status_code == 404


async def test_an_answer_to_a_patient_is_found_by_their_identity(place: Place, officer: httpx.AsyncClient) -> None:
    answer = await say(
        officer, "/journal/repondre", qui="personne", family="Le Goff", given="Patient", birth="1950-02-03"
    )

    assert answer.headers["location"] == f"/journal/reponses/{place.patient}"
    assert "Camille NURSE" in text(await officer.get(answer.headers["location"]))
    unknown = await say(
        officer, "/journal/repondre", qui="personne", family="Le Goff", given="Nadie", birth="1950-02-03"
    )
    assert unknown.status_code == 404
    assert "Personne n'est connu" in text(unknown)


async def test_a_list_that_showed_several_people_is_one_line(place: Place, officer: httpx.AsyncClient) -> None:
    other = place.house.store.key("Patient", place.other_patient)
    assert other is not None
    shown = await by_nurse(place, Event.SEARCH, items=((patient_key(place).kind, patient_key(place).res, 1, 2, 4),))
    await place.house.journal.record(
        [shown._replace(patient=0, items=(), returned=2), shown, shown._replace(patient=other.patient)]
    )
    nurse = place.house.audit.reference("Practitioner", 0, shown.person).partition("/")[2]
    page = text(await officer.get(f"{SEARCH}?personne={nurse}&role=nurse"))

    assert "Une liste qui a montré 2 personnes" in page
    assert page.count("Une liste") == 1


async def test_visits_are_shown_fifty_a_page(place: Place, officer: httpx.AsyncClient) -> None:
    made = [await by_nurse(place, Event.EMERGENCY, reason=f"Motif {n}.", role=100 + n) for n in range(60)]
    for one in made:
        await place.house.journal.record([one])
    async with place.signed_in("patient") as person:
        for browser, first in (
            (officer, f"{SEARCH}?dossier={place.patient}&role=nurse"),
            (officer, f"/journal/reponses/{place.patient}"),
            (person, f"/journal/dossiers/{place.patient}"),
        ):
            shown = await browser.get(first)
            [older] = links(shown, "Visites plus anciennes")
            rest = await browser.get(older)

            assert "Motif 59." in shown.text
            assert "Motif 0." not in shown.text
            assert "Motif 0." in rest.text
            assert "Motif 59." not in rest.text
            [newer] = links(rest, "Visites plus récentes")
            assert "Motif 59." in (await browser.get(newer)).text


@pytest.mark.parametrize(
    ("role_code", "words"),
    [("substitute", "remplace "), ("trainee", "en stage chez "), ("secretary", "pour ")],
)
async def test_whoever_acted_for_another_is_told_with_them(
    place: Place, officer: httpx.AsyncClient, role_code: str, words: str
) -> None:
    by = await by_nurse(place, Event.SEARCH)
    await place.house.journal.record([by._replace(role_code=role_code, role=77, acts_for=by.person)])
    told = re.compile(rf">{words}([^<]+)</span>")
    shown = (await officer.get(f"/journal/dossiers/{place.patient}")).text
    [name] = told.findall(html.unescape(shown))
    assert f'liaison-list__heading">{name}</h2>' in shown  # here they act for themselves, by the name of the directory
    assert not told.findall((await officer.get(f"/journal/recherche?dossier={place.patient}&role=nurse")).text)
