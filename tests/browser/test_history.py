"""Documents et notes: the words of the record beyond the last weeks, and what is masked, to its author alone."""

import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_author_sees_what_is_masked_and_the_nurse_does_not(desks: Desks) -> None:
    patient = desks.patient("masked")
    page = await desks.sign_in("gp")
    await page.goto(f"/dossiers/{patient}")
    await press(page, page.get_by_role("navigation").get_by_role("link", name="Documents et notes"))
    letter = page.get_by_role("listitem").filter(has_text="Compte rendu d'une consultation à Rennes")
    assert "Masqué aux autres" in await letter.inner_text()
    await letter.get_by_text("Lire").tap()
    assert await letter.get_by_text("adressé au médecin traitant").is_visible()
    assert "son fils" in await told(page)
    await check_page(page)
    first = await told(page)
    await press(page, page.get_by_role("button", name="Plus anciens"))
    assert await told(page) != first
    await check_page(page)

    nurse = await desks.sign_in("nurse")
    await nurse.goto(f"/dossiers/{patient}/documents")
    words = await told(nurse)
    assert "Note de consultation" in words
    for hidden in ("Rennes", "son fils", "Masqué"):
        assert hidden not in words


async def test_what_a_third_party_confided_is_not_the_guardians_to_read(desks: Desks) -> None:
    patient = desks.patient("guarded")
    words = {}
    for who in ("guardian", "nurse", "social_worker"):
        page = await desks.sign_in(who)
        await page.goto(f"/dossiers/{patient}/documents")
        words[who] = await told(page)

    assert "entrée en établissement" in words["nurse"]
    assert "Évaluation sociale" in words["social_worker"]
    assert "entrée en établissement" not in words["guardian"]
    assert "Visite à domicile" in words["guardian"]
