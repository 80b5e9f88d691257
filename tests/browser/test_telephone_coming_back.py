"""What comes back to an aide: what was answered to her, what she had typed before the tour closed by itself, and that visits have waited for
too long."""

from datetime import UTC, datetime, timedelta

import pytest

from ..services.delivery.telephone import person
from ..services.pages.conftest import check_page
from .handset import PIN, Handset

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANSWER = "Surélevez les jambes, je passe jeudi."
SUSPICION = "Des bleus aux deux poignets"


def answered(handset: Handset, who: str) -> None:
    """A doctor answers the service about somebody of the tour."""
    [patient] = [one["id"] for one in handset.territory.known["patients"] if one["name"].startswith(who)]
    message = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [
            {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "instruction"}]}
        ],
        "subject": {"reference": f"Patient/{patient}"},
        "sent": datetime.now(UTC).isoformat(timespec="seconds"),
        "sender": {"reference": person(handset.territory, "gp")["practitioner_role"], "display": "Dr Guillemot"},
        "recipient": [{"reference": person(handset.territory, "aide2")["practitioner_role"]}],
        "payload": [{"contentString": ANSWER}],
    }
    made = handset.territory.post(handset.territory.token("gp"), "Communication", message)
    assert made.status_code == 201, made.text


async def later(handset: Handset, **time: int) -> None:
    now = await handset.page.evaluate("Date.now()")
    await handset.page.clock.set_system_time(datetime.fromtimestamp(now / 1000, UTC) + timedelta(**time))


async def reopened(handset: Handset) -> None:
    await handset.page.get_by_label("Votre code à 6 chiffres").fill(PIN)
    await handset.press("Ouvrir ma tournée")


async def test_what_was_answered_comes_with_the_tour(handset: Handset) -> None:
    answered(handset, "René B")
    await handset.begin("aide2", today=("René B.",))
    replies = handset.page.get_by_role("region", name="On vous répond")
    assert ANSWER in await replies.inner_text()
    await check_page(handset.page)
    await handset.ready()
    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    assert ANSWER in await replies.inner_text()


async def test_untouched_for_two_minutes_it_closes_by_itself_and_opens_where_she_was(handset: Handset) -> None:
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.press("Visite : René B.")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Chat roux.")
    await handset.page.get_by_text("Autre chose à dire").tap()
    weight = handset.page.get_by_label("Poids (kg)")
    await weight.press_sequentially("61")  # and left in the middle of the number
    await later(handset, minutes=1)
    await weight.press_sequentially(",5")
    await later(handset, minutes=3)
    await handset.sees("Bonjour Kévin B.")
    shown = await handset.page.locator("body").inner_text()
    assert "Votre tournée s'est fermée toute seule" in shown
    assert "René" not in shown
    await check_page(handset.page)
    await reopened(handset)
    assert await handset.page.get_by_label("Un mot pour l'équipe").input_value() == "Chat roux."
    assert await weight.is_visible()
    assert await weight.input_value() == "61,5"


async def test_woken_up_by_a_touch_it_is_closed_and_a_report_waits_for_her_alone(handset: Handset) -> None:
    handset.designate("social_worker")
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.press("Visite : René B.")
    await handset.press("Signaler une maltraitance")
    await handset.page.get_by_label("Ce que vous avez vu ou entendu").fill(SUSPICION)
    await handset.page.evaluate(
        "now = Date.now(); Date.now = () => now + 180_000; document.dispatchEvent(new PointerEvent('pointerdown'))"
    )
    await handset.sees("Bonjour Kévin B.")
    await reopened(handset)
    assert await handset.page.get_by_label("Ce que vous avez vu ou entendu").input_value() == SUSPICION
    await handset.press("Revenir sans rien enregistrer")
    assert SUSPICION not in str(await handset.kept())


async def test_with_its_clock_set_back_and_two_aides_it_closes_behind_the_code_of_each(handset: Handset) -> None:
    handset.plan("aide2", "René B.")
    await handset.begin("aide", today=("Marcel C.",))
    await handset.ready()
    await handset.press("Changer de personne")
    await handset.ended()
    await handset.sign_in("aide2")
    await handset.choose_code("246802")
    await handset.line.cut()
    await handset.press("Visite : René B.")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Chat roux.")
    await handset.written()
    # Set back again and again, the clock says that no time has passed: the page's own goes on.
    await handset.page.evaluate(
        "stood = Date.now(); Date.now = () => stood; steady = performance.now(); performance.now = () => steady + 180_000;"
        " document.dispatchEvent(new PointerEvent('pointerdown'))"
    )
    await handset.sees("Bonjour Kévin B.")
    await handset.press("Ce n’est pas vous ?")
    await handset.unlock("Sylvie D.")
    await handset.sees("Aujourd'hui")
    assert "René B." not in await handset.page.locator("body").inner_text()
    await handset.press("Visite : Marcel C.")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Volets bleus.")
    # Set back by an hour, and seen at the next look.
    await handset.page.evaluate(
        "Date.now = () => stood - 3_600_000; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await handset.sees("Bonjour Sylvie D.")
    assert "Marcel" not in await handset.page.locator("body").inner_text()
    await handset.press("Ce n’est pas vous ?")
    await handset.unlock("Kévin B.", "246802")
    await handset.press("Continuer : René B.")
    assert await handset.page.get_by_label("Un mot pour l'équipe").input_value() == "Chat roux."
    await handset.press("Revenir à ma tournée")
    await handset.press("Changer de personne")
    await handset.unlock("Sylvie D.")
    await handset.press("Continuer : Marcel C.")
    assert await handset.page.get_by_label("Un mot pour l'équipe").input_value() == "Volets bleus."


async def test_who_is_home_again_from_hospital_is_told_by_two_touches_and_the_desk_confirms_it(
    handset: Handset,
) -> None:
    handset.stay("Odette M", "entree")
    await handset.begin("aide2")
    await handset.ready()
    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    later = handset.page.get_by_role("group").filter(has=handset.page.get_by_text("Demain"))
    await handset.page.get_by_text("Demain").tap()
    card = later.get_by_role("listitem").filter(has=handset.page.get_by_role("heading", name="Odette M."))
    assert "À l'hôpital" in await card.last.inner_text()
    await check_page(handset.page)
    await card.last.get_by_role("button", name="Sorti(e) : Odette M.").tap()
    assert await handset.waiting() == []  # one touch says nothing
    await handset.press("Touchez encore une fois : Odette M. est de retour à la maison")
    await handset.press("Annuler", exact=True)
    await handset.state("")
    assert await handset.waiting() == []
    await handset.page.get_by_text("Demain").tap()
    await handset.press("Sorti(e) : Odette M.")
    await handset.press("Touchez encore une fois : Odette M.")
    await handset.state("1 visite à envoyer, gardée dans ce téléphone")
    await handset.page.get_by_text("Demain").tap()
    assert "Sorti(e), à envoyer" in await card.last.inner_text()
    await check_page(handset.page)
    assert "discharged" not in str(await handset.kept())
    await handset.line.open()
    await handset.deliver()
    await card.last.get_by_text("Sorti(e) : c'est envoyé.").wait_for()
    assert "Sortie annoncée" in handset.reads("home_service_manager", "/service")
    handset.stay("Odette M", "sortie")
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    await handset.tomorrow("Odette M.")
    await handset.sees("Visite : Odette M.")


async def test_what_waits_for_more_than_a_day_is_said_with_what_to_do(handset: Handset) -> None:
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.visit("René B.")
    [visit] = await handset.waiting()
    for hours, long in ((23, False), (2, True)):
        await later(handset, hours=hours)
        await handset.page.reload()
        await handset.state("1 visite à envoyer, gardée dans ce téléphone")
        said = await handset.page.locator("#etat").inner_text()
        assert ("Cela fait plus d'un jour : ouvrez cette page là où il y a du réseau" in said) is long
    await check_page(handset.page)
    assert await handset.waiting() == [visit]
