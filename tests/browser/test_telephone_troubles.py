"""What goes wrong around a telephone: the service's answers, a second tab, its clock, a forgotten code, its revocation."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from ..services.pages.conftest import check_page
from .handset import PIN, Handset, enrolled

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.asyncio(loop_scope="session")]


async def test_whatever_the_line_answers_it_is_kept_until_its_receipt_and_filed_once(handset: Handset) -> None:
    await handset.begin("aide2", tomorrow=("René B.",))
    await handset.tomorrow("René B.")
    await handset.nothing_to_report()
    [visit] = await handset.waiting()
    await handset.later()
    await handset.press("À envoyer")
    answers: list[tuple[tuple[int, bytes] | str, str]] = [
        ((500, b""), "Le service ne répond pas."),
        ((403, b'{"why":"forbidden"}'), "La personne connectée ne peut pas envoyer."),
        ((413, b'{"why":"malformed"}'), "Une visite n'est pas acceptée."),
        ((410, b"gone"), "Le service ne répond pas."),
        ((200, b'{"visit":"another"}'), "Le service ne répond pas."),
        ("half", "Le service ne répond pas."),
    ]
    for answer, words in answers:
        handset.line.answers = answer
        await handset.page.evaluate("document.querySelector('[data-said]').textContent = ''")
        await handset.press("Envoyer maintenant")
        await handset.page.locator("[data-said]").get_by_text(words).wait_for()
        await handset.state("1 visite à envoyer, gardée dans ce téléphone")
        assert await handset.waiting() == [visit]

    handset.line.answers = ""
    await handset.deliver()
    assert len(handset.filed(visit)) == 1


async def test_two_tabs_make_one_visit_of_an_appointment(handset: Handset) -> None:
    await handset.begin("aide2", today=("Martine K.",))
    first, context = handset.page, handset.page.context
    await handset.press("Visite : Martine K.")
    await handset.press("Rien à signaler")
    await handset.written()
    handset.listen(await context.new_page())
    await handset.page.goto("/telephone")
    await handset.unlock("Kévin B.")
    await handset.press("Continuer : Martine K.")
    await handset.page.get_by_text("Cette visite est ouverte dans une autre page.").wait_for()
    await first.get_by_role("button", name="Enregistrer la visite").tap()
    await first.get_by_role("button", name="Annuler").wait_for()
    [visit] = await handset.waiting()
    # Both tabs send at once.
    await first.clock.set_system_time(datetime.now(UTC) + timedelta(seconds=30))
    await first.evaluate("dispatchEvent(new Event('online'))")
    await handset.online()
    await first.locator("#etat").get_by_text("Tout est envoyé").wait_for()
    assert handset.line.brought == 1
    assert len(handset.filed(visit)) == 1


async def test_a_new_version_of_the_page_waits_until_what_was_written_is_sent(handset: Handset) -> None:
    await handset.begin("aide2", tomorrow=("Raymond L.",))
    await handset.ready()
    await handset.tomorrow("Raymond L.")
    await handset.nothing_to_report()
    # The page in another language is another version of it.
    await handset.page.context.add_cookies([{"name": "liaison-lang", "value": "en", "url": handset.line.url}])
    await handset.page.evaluate(
        "navigator.serviceWorker.ready.then(async (found) => { await found.update();"
        " while (!found.waiting) await new Promise((done) => setTimeout(done, 100)) })"
    )
    # Without a network nothing leaves with her.
    await handset.line.cut()
    await handset.press("Changer de personne")
    await handset.sees("Qui êtes-vous ?")
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    await handset.page.get_by_text("Demain").tap()
    await handset.press("Modifier : Raymond L.")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Sous l'ancienne page.")
    await handset.press("Enregistrer la visite")
    await handset.page.get_by_role("button", name="Annuler").wait_for()
    [visit] = await handset.waiting()
    # Her session is over when there is a network again.
    await handset.page.context.clear_cookies(name="liaison")
    await handset.line.open()
    await handset.send()
    await handset.leads("Se connecter pour envoyer")
    await handset.carry_session("aide2")
    await handset.page.goto("/telephone")
    await handset.state("Everything is sent")
    [encounter] = handset.filed(visit)
    assert "Sous l'ancienne page." in handset.words(encounter)
    await handset.page.get_by_role("heading", name="Who are you?", level=1).wait_for()


async def test_a_clock_that_is_three_hours_wrong_files_the_visit_at_its_hour(handset: Handset) -> None:
    await handset.page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=-3))
    await handset.begin("aide2", tomorrow=("Jean-Claude J.",))
    await handset.tomorrow("Jean-Claude J.")
    await handset.nothing_to_report()
    [visit] = await handset.waiting()
    await handset.deliver()
    [encounter] = handset.filed(visit)
    began = datetime.fromisoformat(encounter["period"]["start"])
    assert abs(began - datetime.now(UTC)) < timedelta(minutes=30)


async def test_five_wrong_codes_erase_the_tour_and_a_colleague_delivers_what_was_written(handset: Handset) -> None:
    await handset.begin("aide2", tomorrow=("Martine K.", "René E."))
    await handset.ready()
    await handset.tomorrow("Martine K.")
    await handset.nothing_to_report()
    await handset.tomorrow("René E.")
    await handset.page.get_by_role("group", name="La personne est-elle là ?").get_by_label("Présente").tap()
    await handset.written()
    await handset.line.cut()
    await handset.page.reload()
    await handset.press("Kévin B.")
    for _ in range(5):
        await handset.page.get_by_label("Votre code à 6 chiffres").fill("000000")
        await handset.press("Ouvrir ma tournée")
        await handset.page.get_by_text(re.compile("Ce n'est pas le bon code|Trop d'essais")).wait_for()
        await handset.page.evaluate("document.querySelector('[data-said]').textContent = ''")
    await handset.sees("Qui êtes-vous ?")
    assert await handset.page.get_by_role("button", name="Kévin B.").count() == 0
    kept = await handset.kept()
    assert kept["aides"] == []
    visits = await handset.waiting()
    assert len(visits) == 2

    await handset.line.open()
    await handset.sign_in("aide")
    await handset.choose_code(PIN)
    await handset.online()
    await handset.state("1 visite n'a pas pu être rangée : le CCAS est prévenu")
    assert sorted(len(handset.filed(one)) for one in visits) == [0, 1]


async def test_a_forgotten_code_is_chosen_anew_and_what_was_written_leaves(handset: Handset) -> None:
    await handset.begin("aide2", today=("Odette M.",))
    await handset.ready()
    await handset.visit("Odette M.")
    [visit] = await handset.waiting()
    await handset.page.reload()
    await handset.press("Kévin B.")
    await handset.press("Code oublié ?")
    assert len((await handset.kept())["aides"]) == 1  # one touch erases nothing
    await handset.press("Touchez encore une fois")
    await handset.page.get_by_label("Votre code, encore une fois").wait_for()
    await check_page(handset.page)
    await handset.choose_code("975310")
    await handset.deliver()
    assert len(handset.filed(visit)) == 1


async def test_a_telephone_that_is_taken_out_of_force_keeps_its_visits_until_it_is_one_of_the_service_again(
    handset: Handset,
) -> None:
    with enrolled(handset.territory) as desk:
        handset.secret = desk.http.cookies["liaison-phone"]
        await handset.carry(handset.secret)
        await handset.begin("aide2", tomorrow=("René E.",))
        await handset.tomorrow("René E.")
        await handset.nothing_to_report()
        [visit] = await handset.waiting()
        page = desk.http.get("/telephones").text
        [number] = re.findall(r'C’est ce téléphone.*?name="telephone" value="(\d+)"', page, re.DOTALL)
        desk.http.post("/telephones/revoquer", data={"csrf": desk.csrf, "telephone": number})
    await handset.send()
    await handset.page.get_by_text("Ce téléphone n'est plus celui du service.").wait_for()
    await check_page(handset.page)
    assert (await handset.kept())["aides"] == []
    assert await handset.waiting() == [visit]

    # Whoever manages the service makes it one of hers again, and delivers what it has kept.
    with enrolled(handset.territory) as desk:
        await handset.carry(desk.http.cookies["liaison-phone"], desk.http.cookies["liaison"])
        await handset.online()
        await handset.state("1 visite n'a pas pu être rangée : le CCAS est prévenu")
    assert await handset.waiting() == []
    assert handset.filed(visit) == []


async def test_after_thirty_six_hours_the_tour_is_gone_and_what_was_begun_waits_to_be_sent(handset: Handset) -> None:
    await handset.begin("aide2", tomorrow=("René E.",))
    await handset.ready()
    await handset.tomorrow("René E.")
    await handset.page.get_by_label("Présente").tap()
    await handset.written()
    await handset.line.cut()
    await handset.page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=35))
    await handset.page.reload()
    await handset.page.get_by_role("button", name="Kévin B.").wait_for()
    await handset.page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=37))
    await handset.page.reload()
    await handset.state("1 visite à envoyer, gardée dans ce téléphone")
    kept = await handset.kept()
    assert kept["aides"] == []
    assert [set(one) & {"copy", "place"} for one in kept["visits"]] == [set()]


async def test_a_telephone_of_nobody_s_service_is_told_so(handset: Handset) -> None:
    await handset.carry_session("aide2")
    await handset.carry("nobody-s")
    await handset.page.goto("/telephone")
    await handset.sees("Ce téléphone n'est pas celui d'un service")
    await check_page(handset.page)


async def test_a_telephone_without_room_says_so_keeps_what_it_can_and_still_forgets_who_logs_out(
    handset: Handset,
) -> None:
    full = (
        "put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put ="
        " () => { throw new DOMException('no room', 'QuotaExceededError') }; true"
    )
    await handset.begin("aide2", tomorrow=("René E.",))
    await handset.tomorrow("René E.")
    await handset.page.evaluate(full)
    await handset.press("Rien à signaler")
    await handset.page.get_by_text("Ce téléphone n'a pas pu garder la visite.").wait_for()
    await handset.page.evaluate("IDBObjectStore.prototype.put = put; true")
    await handset.press("Enregistrer la visite")
    await handset.page.get_by_role("button", name="Annuler").wait_for()
    assert len(await handset.waiting()) == 1
    # Without room it is filed all the same, and what was begun waits on its own once she has logged out.
    [visit] = await handset.waiting()
    await handset.page.get_by_text("Une visite qui n'était pas prévue").first.tap()
    await handset.press("René E. · ")
    await handset.page.get_by_label("Présente", exact=True).tap()
    await handset.written()
    await handset.press("Revenir à ma tournée")
    await handset.page.evaluate(full)
    await handset.later()
    await handset.press("À envoyer")
    await handset.press("Envoyer maintenant")
    await handset.page.get_by_text("Rien n'attend.").wait_for()
    assert len(handset.filed(visit)) == 1
    await handset.press("Revenir")
    await handset.press("Se déconnecter")
    await handset.sees("Qui êtes-vous ?")
    await handset.ended()
    assert (await handset.kept())["aides"] == []
    await handset.page.reload()
    await handset.state("1 visite à envoyer, gardée dans ce téléphone")
