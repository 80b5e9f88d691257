"""The telephone's page on a line that is cut: nothing lost, nothing doubled, nothing about anybody in clear."""

import base64
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest

from liaison.services.pages.clock import PARIS

from ..services.delivery.telephone import person
from ..services.pages.conftest import check_page
from .handset import PIN, Handset

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOTE = "Chaussons percés, zinzolin"
CORRECTED = "Chaussons neufs, outremer"
SUSPICION = "Des bleus aux deux poignets"
PAYLOAD = 3 * 1024
"""Bytes of a visit on its way, in base64."""


async def test_the_first_day_on_line_then_visits_with_no_network_then_each_is_filed_once(handset: Handset) -> None:
    handset.plan("aide2", "Jean-Claude J.")
    handset.plan("aide2", "Annick L.", days=1)
    handset.plan("aide2", "Martine K.", days=1)
    await handset.page.goto("/telephone")
    await handset.sees("Qui êtes-vous ?")
    await check_page(handset.page)
    await handset.sign_in("aide2")
    await check_page(handset.page)
    await handset.choose_code(PIN)
    await handset.ready()
    await check_page(handset.page)

    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    await handset.sees("Aujourd'hui")
    await handset.visit("Jean-Claude J.")
    await handset.tomorrow("Annick L.")
    await handset.page.get_by_role("group", name="La personne est-elle là ?").get_by_label("Présente").tap()
    await handset.press("Tout fait")
    await handset.page.get_by_label("Un mot pour l'équipe").fill(NOTE)
    await handset.page.get_by_text("Autre chose à dire").tap()
    await handset.page.get_by_label("Poids (kg)").fill("58,5")
    await handset.page.get_by_role("link", name="Alerte").tap()
    await handset.page.get_by_label("Quelque chose m'inquiète").tap()
    await handset.page.get_by_text("Cette alerte n'est pas partie. Appelez maintenant.").wait_for()
    calls = handset.page.get_by_role("link", name="Appeler")
    assert [await one.get_attribute("href") for one in await calls.all()] == ["tel:15", "tel:112", "tel:0261911009"]
    text = await handset.page.get_by_role("link", name="SMS").get_attribute("href")
    assert text is not None
    assert unquote(text) == "sms:0261911009?body=Appelez-moi, s'il vous plaît."
    await check_page(handset.page)
    await handset.press("Enregistrer la visite")
    assert "C'est loin de la dernière mesure" in await handset.page.get_by_role("alert").first.inner_text()
    await handset.press("Enregistrer la visite")
    await handset.state("2 visites à envoyer, gardées dans ce téléphone")
    await handset.page.get_by_text("Cette alerte n'est pas partie. Appelez maintenant.").wait_for()
    await handset.later()
    await handset.press("À envoyer")
    await handset.press("Envoyer maintenant")
    await handset.page.get_by_text("Pas de réseau.").wait_for()
    await check_page(handset.page)
    visits = await handset.waiting()
    assert len(visits) == 2
    await nothing_in_clear(handset, "Jean-Claude", "Annick", NOTE, "zinzolin", "58,5", "meal-all", "inhal")
    assert [handset.filed(one) for one in visits] == [[], []]
    sizes = [len(one["sealed"]) for one in (await handset.kept())["visits"]]
    print(sizes)
    assert max(sizes) <= PAYLOAD

    await handset.line.open()
    await handset.deliver()
    assert [len(handset.filed(one)) for one in visits] == [1, 1]
    encounters = [one for visit in visits for one in handset.filed(visit)]
    [encounter] = [one for one in encounters if NOTE in handset.words(one)]
    assert handset.author(encounter) == "aide2"
    await handset.press("Revenir")
    await handset.sees("Aujourd'hui")
    assert not await handset.page.get_by_text("Cette alerte n'est pas partie.").is_visible()

    # What was sent is corrected, and somebody is visited who was not planned, without a network either.
    await handset.line.cut()
    await handset.page.get_by_text("Demain").tap()
    await handset.press("Corriger : Annick L.")
    assert await handset.page.get_by_label("Un mot pour l'équipe").input_value() == NOTE
    await handset.page.get_by_label("Un mot pour l'équipe").fill(CORRECTED)
    await check_page(handset.page)
    await handset.press("Enregistrer la visite")
    await handset.later()
    await handset.page.get_by_text("Une visite qui n'était pas prévue").first.tap()
    await handset.press("Annick L. · ")
    steps = handset.page.get_by_role("heading", name="Personne n'ouvre : que faire ?")
    assert not await steps.is_visible()
    await handset.page.get_by_label("Porte close").tap()
    await steps.wait_for()
    assert await handset.page.get_by_role("link", name="Appeler le 18").get_attribute("href") == "tel:18"
    assert await handset.page.get_by_text("Cette alerte n'est pas partie. Appelez maintenant.").is_visible()
    await check_page(handset.page)
    await handset.press("Enregistrer la visite")
    await handset.page.get_by_role("button", name="Annuler").wait_for()
    await check_page(handset.page)
    # « Alerte » from the tour: the calls, then for whom, then what.
    await handset.page.locator("#alerte").get_by_role("button", name="René E.").tap()
    await handset.sees("Visite : René E.")
    assert await handset.page.get_by_label("Quelque chose m'inquiète").is_visible()
    await handset.press("Revenir à ma tournée")
    await handset.later()
    await handset.tomorrow("Martine K.")
    await handset.press("La personne s'oppose au partage")
    await handset.sees("La personne s'oppose : Martine K.")
    await handset.page.get_by_label("À tout partage").tap()
    assert await handset.page.get_by_text("Plus aucun professionnel n'ouvre ce dossier, vous non plus.").is_visible()
    assert await handset.page.get_by_text("de votre tournée ne ser").is_visible()
    await handset.page.get_by_label("À tout accès en urgence").tap()
    assert not await handset.page.get_by_text("Plus aucun professionnel n'ouvre ce dossier").first.is_visible()
    await handset.press("Enregistrer l'opposition")
    await handset.page.get_by_text("Dites à quoi la personne s'oppose, et comment elle l'a dit.").wait_for()
    await handset.page.get_by_label("Par écrit").tap()
    await check_page(handset.page)
    await handset.press("Enregistrer l'opposition")
    await handset.state("3 visites à envoyer, gardées dans ce téléphone")
    words = (NOTE, "zinzolin", CORRECTED, "outremer", "58,5", "meal-all", "emergency")
    await nothing_in_clear(handset, "Jean-Claude", "Annick", "Martine", *words)
    others = await handset.waiting()
    await handset.line.open()
    await handset.deliver()
    assert CORRECTED in handset.words(encounter)
    assert NOTE not in handset.words(encounter)
    # Neither a correction nor an opposition is a visit of its own.
    assert sorted(len(handset.filed(one)) for one in others) == [0, 0, 1]
    assert [len(handset.opposed(one)) for one in others].count(1) == 1


async def test_two_aides_on_one_telephone_each_with_her_own_tour(handset: Handset) -> None:
    handset.designate("social_worker", nobody=True)
    handset.plan("aide2", "Raymond L.")
    handset.plan("aide2", "Raymond L.", days=1)
    await handset.begin("aide", today=("Marcel C.",))
    await handset.ready()
    await handset.press("Visite : ")
    await handset.press("Signaler une maltraitance")
    await handset.page.get_by_text("Personne n'est désigné dans votre service").wait_for()
    await handset.press("Revenir sans rien enregistrer")
    handset.designate("social_worker")
    # Saved and handed over in one breath: it leaves before her session ends, and nobody waits for the ten seconds of « Annuler ».
    await handset.press("Visite : ")
    await handset.nothing_to_report()
    [saved] = await handset.waiting()
    await handset.press("Changer de personne")
    await handset.sees("Qui êtes-vous ?")
    await handset.ended()
    assert len(handset.filed(saved)) == 1
    await handset.unlock("Sylvie D.")
    await handset.page.get_by_text("Vous n'êtes pas connectée.").wait_for()
    await check_page(handset.page)
    await handset.press("Changer de personne")
    await handset.sees("Qui êtes-vous ?")
    await handset.sign_in("aide2")
    await handset.choose_code("246802")
    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock("Sylvie D.")
    assert "Raymond L." not in await handset.page.locator("main").inner_text()
    await handset.press("Changer de personne")
    await handset.unlock("Kévin B.", "246802")
    await handset.visit("Raymond L.")
    [visit] = await handset.waiting()
    await handset.tomorrow("Raymond L.")
    await handset.press("Signaler une maltraitance")
    await handset.press("Enregistrer le signalement")
    await handset.page.get_by_text("Choisissez qui doit le lire").wait_for()
    await handset.page.get_by_label("Julie Fournier").tap()
    await handset.page.get_by_label("Ce que vous avez vu ou entendu").fill(SUSPICION)
    await check_page(handset.page)
    await handset.press("Enregistrer le signalement")
    await handset.press("Annuler")
    assert await handset.page.get_by_label("Ce que vous avez vu ou entendu").input_value() == SUSPICION
    await handset.press("Enregistrer le signalement")
    await handset.sees("Aujourd'hui")
    await handset.later()
    await handset.press("À envoyer")
    await handset.page.get_by_text("1 envoi que vous seule connaissez").wait_for()
    await nothing_in_clear(handset, SUSPICION, "poignets", "Fournier", "Raymond")
    await handset.press("Revenir")
    await handset.press("Se déconnecter")
    await handset.sees("Qui êtes-vous ?")
    assert await handset.page.get_by_role("button", name="Kévin B.").count() == 0
    await handset.state("2 visites à envoyer")

    # He has left; she delivers it, and it stays his.
    await handset.line.open()
    await handset.deliver()
    [encounter] = handset.filed(visit)
    assert handset.author(encounter) == "aide2"
    assert SUSPICION in handset.reads("social_worker", "/signalements")
    assert SUSPICION not in handset.reads("home_service_manager", "/signalements")
    # The session that he could not end without a network is ended.
    assert (await handset.page.request.get("/telephone/qui")).status == 401


async def test_with_nobody_to_read_an_alert_the_telephone_says_who_answers_at_this_hour(handset: Handset) -> None:
    nurse = person(handset.territory, "nurse")["practitioner_role"]
    elsewhere = str((datetime.now(PARIS) + timedelta(days=3)).isoweekday())
    always = {"jour": list("1234567"), "de": "00:00", "a": ""}
    with (
        handset.noted(
            "/service/destinataires", qui=nurse, accepte="2026-01-05", ecrit="oui", **{**always, "jour": elsewhere}
        ),
        handset.noted("/service/numeros", nom="Astreinte", numero="06 39 98 00 17", **always),
    ):
        await handset.begin("aide2", today=("René B.",))
        await handset.ready()
        await handset.line.cut()
        await handset.page.reload()
        await handset.unlock("Kévin B.")
        await handset.press("Visite : René B.")
        await handset.page.get_by_role("link", name="Alerte").tap()
        said = "Personne ne lira ce message maintenant : appelez le 15, le 112 ou Astreinte au 06 39 98 00 17."
        await handset.page.get_by_text(said).wait_for()
        call = handset.page.get_by_role("link", name="Appeler : Astreinte")
        assert await call.get_attribute("href") == "tel:0639980017"
        await check_page(handset.page)


@pytest.mark.proof
async def test_a_visit_that_was_left_half_way_is_there_again(handset: Handset) -> None:
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.press("Visite : René B.")
    await handset.page.get_by_role("group", name="Le repas").get_by_label("La moitié").tap()
    before = await handset.written()
    await handset.page.get_by_label("Un mot pour l'équipe").fill(NOTE)
    await handset.written(before)
    context = handset.page.context
    await handset.page.close()

    handset.listen(await context.new_page())
    await handset.page.goto("/telephone")
    await handset.unlock("Kévin B.")
    await handset.state("1 visite à finir")
    await handset.press("Continuer : René B.")
    assert await handset.page.get_by_label("Un mot pour l'équipe").input_value() == NOTE
    assert await handset.page.get_by_role("group", name="Le repas").get_by_label("La moitié").is_checked()
    await handset.press("Enregistrer la visite")
    assert "Il manque une réponse." in await handset.page.get_by_role("alert").first.inner_text()
    await check_page(handset.page)
    await handset.page.get_by_role("group", name="La personne est-elle là ?").get_by_label("Présente").tap()
    await handset.press("Enregistrer la visite")
    # Taken back at once, and told otherwise: one visit comes of it.
    await handset.press("Annuler")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Tout va bien.")
    await handset.press("Enregistrer la visite")
    await handset.page.get_by_role("button", name="Annuler").wait_for()
    [visit] = await handset.waiting()
    await handset.line.open()
    await handset.deliver()
    [encounter] = handset.filed(visit)
    assert "Tout va bien." in handset.words(encounter)
    assert NOTE not in handset.words(encounter)


async def nothing_in_clear(handset: Handset, *words: str) -> None:
    """In what the page keeps: no word as it is, in UTF-16, or in base64 at any of its three shifts."""
    kept = str(await handset.kept())
    assert "Kévin B." in kept  # on the tile that he touches: what is looked through is what is kept
    cached: str = await handset.page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) => { const cache = await caches.open(name);"
        " return (await Promise.all((await cache.matchAll()).map((one) => one.text()))).join('') }))).join('')"
    )
    other: str = await handset.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    for word in words:
        forms = [word, word.encode().decode("latin-1"), word.encode("utf-16-le").decode("latin-1")]
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + word.encode()).decode()
            forms.append(coded[-(-shift * 4 // 3) : len(coded) - 4] if len(word) > 6 else coded)
        for form in forms:
            assert form not in kept + other, form
            if word not in ("meal-all", "inhal", "emergency"):  # words of the empty forms
                assert form not in cached, form
