"""What comes back to an aide: what was answered to her, what she had typed, and that visits have waited for too long."""

from datetime import UTC, datetime, timedelta

import pytest

from ..services.delivery.telephone import person
from ..services.pages.conftest import check_page
from .handset import Handset

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANSWER = "Surélevez les jambes, je passe jeudi."


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


async def later(handset: Handset, hours: int) -> None:
    now = await handset.page.evaluate("Date.now()")
    await handset.page.clock.set_system_time(datetime.fromtimestamp(now / 1000, UTC) + timedelta(hours=hours))


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


async def test_what_was_typed_under_more_to_say_is_seen_again(handset: Handset) -> None:
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.press("Visite : René B.")
    await handset.page.get_by_text("Autre chose à dire").tap()
    weight = handset.page.get_by_label("Poids (kg)")
    await weight.fill("61,5")
    await handset.page.get_by_label("Un mot pour l'équipe").fill("Chat roux.")
    await handset.page.reload()
    await handset.unlock("Kévin B.")
    await handset.press("Continuer : René B.")
    assert await weight.is_visible()
    assert await weight.input_value() == "61,5"


async def test_what_waits_for_more_than_a_day_is_said_with_what_to_do(handset: Handset) -> None:
    await handset.begin("aide2", today=("René B.",))
    await handset.ready()
    await handset.line.cut()
    await handset.visit("René B.")
    [visit] = await handset.waiting()
    for hours, long in ((23, False), (2, True)):
        await later(handset, hours)
        await handset.page.reload()
        await handset.state("1 visite à envoyer, gardée dans ce téléphone")
        said = await handset.page.locator("#etat").inner_text()
        assert ("Cela fait plus d'un jour : ouvrez cette page là où il y a du réseau" in said) is long
    await check_page(handset.page)
    assert await handset.waiting() == [visit]
