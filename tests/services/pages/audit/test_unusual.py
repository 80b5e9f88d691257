"""An unusual access from the rule to the closed case: the list, a question and its answer, two readers, suspension, the PDF."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import httpx
import pytest

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.auth.unusual.table import rules
from liaison.fhir.store.database import connection
from liaison.services.jobs.watching import watch
from liaison.services.pages.languages import read_catalogue

from ...oauth.conftest import Place, field
from ..browsing import say, text, today

QUEUE, RULES, CASES = "/journal/urgences", "/journal/signaux", "/journal/affaires"


@pytest.fixture
async def officer(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in("dpo") as browser:
        yield browser


@asynccontextmanager
async def another_officer(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """Who is an administrator too, and chooses the role."""
    async with place.signed_in("manager") as browser:
        page = await browser.get("/role")
        [value] = re.findall(r'name="role"[^>]*value="([^"]*)"(?:(?!</label>).)*protection', page.text, re.DOTALL)
        await browser.post("/role", data={"csrf": field(page.text, "csrf"), "role": value, "suite": "/"})
        yield browser


async def look(place: Place) -> None:
    """What the job does, once."""
    own = await connection(place.house.database.url)
    integrator = Integrator(place.house.journal_keys)
    await integrator.take(own)
    await integrator.integrate(own)
    house = place.house
    await watch(own, house.store, house.journal, house.journal_keys, house.settings.fhir_base)
    await own.close()


async def turned_on(officer: httpx.AsyncClient, rule: str = "no-relation", **more: str) -> None:
    answer = await say(officer, f"{RULES}/{rule}", acte="marche", depuis=today(), **more)
    assert answer.status_code == 303, text(answer)


async def curious(place: Place, officer: httpx.AsyncClient) -> str:
    """A nurse asked for the record of somebody whom nothing links to her; the page of that access."""
    await turned_on(officer)
    async with place.signed_in("nurse") as nurse:
        assert (await nurse.get(f"/dossiers/{place.other_patient}")).status_code == 404
        assert (await nurse.get(f"/dossiers/{place.patient}")).status_code == 200
    await look(place)
    listed = await officer.get(QUEUE)
    [where] = re.findall(r'href="(/journal/inhabituels/\d+)"', listed.text)
    return str(where)


async def told(place: Place, event: Event) -> list[Entry]:
    rows = await place.house.database.reading.fetch(
        f"select {', '.join(COLUMNS)} from journal_entry where event = $1 order by at", int(event)
    )
    return [unseal(place.house.journal_keys, Record(*row)) for row in rows]


async def test_a_rule_is_tried_turned_on_and_off_each_in_the_journal(place: Place, officer: httpx.AsyncClient) -> None:
    shown = text(await officer.get(RULES))
    assert shown.count("Arrêtée") == 9
    assert shown.count("Attend la note au personnel") == 3
    async with place.signed_in("nurse") as nurse:
        await nurse.get(f"/dossiers/{place.other_patient}")
    one = f"{RULES}/no-relation"
    assert "tâche d'un protocole" in text(await officer.get(one))

    tried = await say(officer, one, acte="essayer", du=today(), au=today(), refusals="1")

    assert "Essai : la règle aurait trouvé 1 accès" in text(tried)
    assert f"dossier {place.other_patient[:6]}" in text(tried)
    assert "Camille NURSE" in text(tried)
    assert "n'aurait rien trouvé" in text(await say(officer, one, acte="essayer", du=today(), au=today(), refusals="9"))
    assert await place.house.database.reading.fetchval("select count(*) from unusual_access") == 0
    for form in (
        {"du": "", "au": today()},
        {"du": today(), "au": "2020-01-01"},
        {"du": today(), "au": today(), "refusals": "0"},
    ):
        assert (await say(officer, one, acte="essayer", **form)).status_code == 422, form
    assert (await say(officer, one, acte="marche", depuis="")).status_code == 422
    await turned_on(officer, refusals="2")
    assert "En marche, regarde depuis le" in text(await officer.get(one))
    assert (await say(officer, one, acte="arret", refusals="2")).status_code == 303
    assert "Arrêtée" in text(await officer.get(one))

    acts = [one.detail for one in await told(place, Event.CONFIGURATION) if one.detail]
    assert [(act["rule"], act["active"], act["parameters"]) for act in acts] == [
        ("no-relation", True, {"refusals": 2}),
        ("no-relation", False, {"refusals": 2}),
    ]
    trials = [one.detail for one in await told(place, Event.JOURNAL_READ) if one.detail]
    assert sum(trial["act"] == "unusual rule tried" for trial in trials) == 2


async def test_many_trials_at_once_do_not_wait_for_each_other(place: Place, officer: httpx.AsyncClient) -> None:
    """Each opens a session to look with: nobody may keep, meanwhile, the last connection that it needs."""
    async with place.signed_in("nurse") as nurse:
        await nurse.get(f"/dossiers/{place.other_patient}")
    csrf = field((await officer.get("/mes-connexions")).text, "csrf")
    days = [(date.fromisoformat(today()) - timedelta(days=back)).isoformat() for back in range(12)]
    form = {"csrf": csrf, "acte": "essayer", "au": today(), "refusals": "1"}

    async with asyncio.timeout(60):
        tried = await asyncio.gather(
            *(
                officer.post(f"{RULES}/no-relation", data={**form, "du": day}) for day in days
            )  # none is another sent twice
        )

    assert ["Essai : la règle aurait trouvé 1 accès" in text(one) for one in tried] == [True] * len(days)


async def test_names_wait_for_the_notice_to_staff(place: Place, officer: httpx.AsyncClient) -> None:
    yesterday, tomorrow = (str(date.fromisoformat(today()) + timedelta(days=days)) for days in (-1, 1))
    for act, days in (("marche", {"depuis": today()}), ("essayer", {"du": today(), "au": today()})):
        refused = await say(officer, f"{RULES}/same-family", acte=act, **days)
        assert refused.status_code == 422
        assert "note d'information au personnel" in text(refused)
    assert (await say(officer, RULES, date="demain")).status_code == 422

    assert (await say(officer, RULES, date=today())).status_code == 303

    for act, days in (("marche", {"depuis": yesterday}), ("essayer", {"du": yesterday, "au": today()})):
        early = await say(officer, f"{RULES}/same-family", acte=act, **days)
        assert (early.status_code, "Cette règle ne regarde rien avant le jour de la note" in text(early)) == (422, True)
    await turned_on(officer, "same-family")
    assert "Pas avant le" in text(await officer.get(f"{RULES}/same-family"))
    await say(officer, RULES, date=tomorrow)
    assert f'value="{tomorrow}"' in (await officer.get(f"{RULES}/same-family")).text  # it looks at nothing before
    await say(officer, RULES, date=today())
    assert "Le personnel est informé depuis le" in text(await officer.get(RULES))
    assert next(one.detail["since"] for one in await told(place, Event.CONFIGURATION) if one.detail) == today()


async def test_an_access_is_on_the_list_with_its_rule_and_without_the_name(
    place: Place, officer: httpx.AsyncClient
) -> None:
    where = await curious(place, officer)
    listed = text(await officer.get(QUEUE))
    assert f"Accès inhabituel, dossier {place.other_patient[:6]}" in listed
    assert "sans lien de soin connu" in listed
    assert "À revoir avant le" in listed
    assert place.patient[:6] not in listed  # her own patient

    shown = text(await officer.get(where))
    assert "Camille NURSE, Infirmi" in shown
    assert "0 lecture(s), 1 refus" in shown
    assert "LE GOFF" not in shown
    [entry] = re.findall(r'href="(/journal/lignes/[^"]+)"', (await officer.get(where)).text)
    assert '"outcome": "4"' in text(await officer.get(entry))
    [read, *_] = [
        one for one in await told(place, Event.JOURNAL_READ) if (one.detail or {}).get("act") == "unusual access"
    ]
    assert read.patient
    async with place.signed_in("nurse") as nurse:
        assert (await nurse.get(where)).status_code == 404


async def test_a_question_reaches_who_acted_and_the_answer_the_reviewer(
    place: Place, officer: httpx.AsyncClient
) -> None:
    where = await curious(place, officer)
    assert (await say(officer, where, outcome="to-clarify", version="1")).status_code == 400
    asked = {"outcome": "to-clarify", "note": "Pourquoi ce dossier ?", "version": "1"}
    assert (await say(officer, where, **asked)).status_code == 303

    async with place.signed_in("nurse") as nurse:
        assert "Un auditeur vous a posé 1 question" in text(await nurse.get("/dossiers"))
        page = await nurse.get("/mes-acces")
        assert "Pourquoi ce dossier ?" in text(page)
        assert "sans lien de soin connu" in text(page)
        assert place.other_patient[:6] not in page.text
        task = field(page.text, "task")
        assert (await say(nurse, "/mes-acces", task=task, answer=" ")).status_code == 400
        assert (await say(nurse, "/mes-acces", task="inhabituel-7", answer="Moi")).status_code == 404
        assert (await say(nurse, "/mes-acces", task=task, answer="Une faute de frappe")).status_code == 303
        assert "Un auditeur" not in text(await nurse.get("/dossiers"))

    assert "Réponse reçue" in text(await officer.get(QUEUE))
    assert "Une faute de frappe" in text(await officer.get(where))
    assert (await say(officer, where, **asked)).status_code == 412  # of what was shown before
    assert (await say(officer, where, **{**asked, "version": "9" * 5000})).status_code == 412
    unread = await say(officer, where, outcome="unjustified", note="Aucune réponse", version="2")  # as it was asked
    assert unread.status_code == 412
    assert "Quelqu'un vient d'écrire au sujet de cet accès" in text(unread)
    assert "Une faute de frappe" in text(unread)
    settled = {"outcome": "justified", "note": "Faute de frappe", "version": field(unread.text, "version")}
    assert (await say(officer, where, **settled)).status_code == 303
    waiting, _, reviewed = text(await officer.get(QUEUE)).partition("Déjà revus")
    assert place.other_patient[:6] not in waiting
    assert "Justifié" in reviewed
    page = await officer.get(RULES)
    again = await officer.post(where, data={**settled, "csrf": field(page.text, "csrf")})
    assert again.status_code == 409


async def held_up(place: Place, task: "asyncio.Task[httpx.Response]") -> None:
    """Returns when what was asked waits for a lock of another, or has ended without waiting."""
    async with asyncio.timeout(60):
        while not task.done() and not await place.house.database.reading.fetchval(
            "select exists (select from pg_locks l join pg_stat_activity a using (pid)"
            " where not l.granted and a.datname = current_database())"
        ):
            await asyncio.sleep(0.01)


async def test_an_answer_that_comes_while_the_access_is_settled_is_not_taken(
    place: Place, officer: httpx.AsyncClient
) -> None:
    where = await curious(place, officer)
    question = {"outcome": "to-clarify", "note": "Pourquoi ce dossier ?", "version": "1"}
    assert (await say(officer, where, **question)).status_code == 303
    async with place.signed_in("nurse") as nurse:
        task = field((await nurse.get("/mes-acces")).text, "task")
        async with place.house.database.writing.acquire() as reviewer, reviewer.transaction():
            await reviewer.execute("update unusual_access set state = 'completed', outcome = 'justified'")
            answering = asyncio.create_task(say(nurse, "/mes-acces", task=task, answer="Une faute de frappe"))
            await held_up(place, answering)

        assert (await answering).status_code == 404

    assert await place.house.database.reading.fetchval("select count(*) from unusual_word where outcome = ''") == 0


async def found_at_fault(place: Place, officer: httpx.AsyncClient) -> str:
    """The case of an access that two readers found not justified."""
    where = await curious(place, officer)
    said = {"outcome": "unjustified", "note": "Aucune raison"}
    assert (await say(officer, where, **said, version="1")).status_code == 303
    assert "Second avis attendu" in text(await officer.get(QUEUE))
    alone = await say(officer, where, **said, version="2")
    assert alone.status_code == 403
    assert "Il faut une autre personne" in text(alone)
    assert await place.house.database.reading.fetchval("select count(*) from review_case") == 0
    async with another_officer(place) as second:
        assert (await say(second, where, **said, version="2")).status_code == 303
    return f"{CASES}/1"


async def test_the_clock_runs_from_the_first_who_doubted(place: Place, officer: httpx.AsyncClient) -> None:
    where = await curious(place, officer)
    async with another_officer(place) as second:
        for who, outcome, version in (
            (officer, "reported", "1"), (second, "unjustified", "2"), (officer, "unjustified", "3"),
        ):  # fmt: skip
            assert (await say(who, where, outcome=outcome, note="Aucune raison", version=version)).status_code == 303

    known, first = await place.house.database.reading.fetchrow(
        "select c.known_at, w.at from review_case c join unusual_word w on w.patient = c.patient and w.word = 1"
    )
    assert known == first


async def test_two_readers_open_a_case_with_its_clock(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)

    assert "Affaire nº 1" in text(await officer.get(CASES))
    notices = await officer.get("/avis")
    assert "Une affaire est ouverte : 72 heures pour notifier à la CNIL" in text(notices)
    assert f'href="{case}"' in notices.text
    shown = text(await officer.get(case))
    assert "Il reste 71 heures pour notifier à la CNIL" in shown
    assert "Camille NURSE" in shown
    assert "Non justifié" in shown
    known, read = await place.house.database.reading.fetchrow(
        "select c.known_at, min(w.at) from review_case c join unusual_word w on w.patient = c.patient group by 1"
    )
    assert abs(known - read) < timedelta(seconds=5)  # of the first reader
    await place.house.database.writing.execute("update review_case set known_at = known_at - interval '73 hours'")
    assert "Les 72 heures pour notifier à la CNIL sont passées" in text(await officer.get(case))


async def test_others_see_neither_the_access_nor_the_case(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)
    # The officer's organisation is now another: the actor is not theirs, and the record is followed by nobody of it.
    await place.house.database.writing.execute(
        "update access_session set organization = 1 where role_code = 'dpo' and ended_at is null"
    )

    assert "Accès inhabituel" not in text(await officer.get(QUEUE)).partition("Heures de Paris")[2]
    assert (await officer.get(case)).status_code == 404
    assert (await officer.get(f"{case}/feuille")).status_code == 404
    assert "Aucune affaire" in text(await officer.get(CASES))
    assert "Une affaire est ouverte" not in text(await officer.get("/avis"))


async def test_without_the_mandate_rules_are_read_and_not_chosen(place: Place, officer: httpx.AsyncClient) -> None:
    await place.house.database.writing.execute("insert into audit_mandate (organization, convention) values (1, 'C 1')")

    assert "n'a pas le mandat du territoire" in text(await officer.get(RULES))
    assert (await say(officer, f"{RULES}/night", acte="marche", depuis=today())).status_code == 403
    assert (await say(officer, RULES, date=today())).status_code in (403, 404)


async def test_reviews_are_counted_by_structure(place: Place, officer: httpx.AsyncClient) -> None:
    await found_at_fault(place, officer)

    shown = text(await officer.get("/journal/chiffres"))
    assert "Maison de santé de Kervanec" in shown
    assert "0 jour" in shown


def test_every_rule_has_its_english() -> None:
    english = read_catalogue("en")
    texts = {words for rule in rules().values() for words in rule.texts()}

    assert {words for words in texts if words not in english or not english[words].string} == set()
