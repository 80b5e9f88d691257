"""What was typed and not sent: the browser asks before a page is left."""

import pytest
from playwright.async_api import Dialog, Page

from .conftest import Desks

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def asked_at_leaving(page: Page) -> bool:
    """Whether the browser asks; the person stays on the page."""
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    before = page.url
    await page.evaluate("setTimeout(() => { location.href = '/ma-securite' })")
    while not asked and page.url == before:  # the test's time limit ends it
        await page.wait_for_timeout(50)
    page.remove_listener("dialog", stay)
    return asked == ["beforeunload"]


async def test_a_visit_that_was_begun_on_the_page_is_not_left_without_a_word(desks: Desks) -> None:
    page, patient = await desks.sign_in("aide"), desks.patient("bpco_06")
    await page.goto(f"/visite/{patient}")
    for name in ("Tout fait", "Rien à signaler"):  # a second touch takes it back
        await page.get_by_role("button", name=name).tap()
        assert await asked_at_leaving(page)
        assert await page.get_by_role("button", name=name).get_attribute("aria-pressed") == "true"
        await page.get_by_role("button", name=name).tap()
    assert not await asked_at_leaving(page)

    await page.goto(f"/visite/{patient}")
    await page.get_by_label("Un mot pour l'équipe").fill("Chaussures trop serrées.")
    assert await asked_at_leaving(page)
    # What is sent is not lost, and a call leaves nothing: nothing is asked.
    dialogs: list[str] = []

    async def heard(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        await dialog.accept()

    page.on("dialog", heard)
    await page.get_by_role("link", name="Alerte").tap()
    await page.get_by_role("link", name="Appeler le 15").tap()
    await page.get_by_label("Présente").tap()
    async with page.expect_navigation():  # the driver's touch gets no answer after a call that follows a question
        await page.get_by_role("button", name="Enregistrer la visite").click()
    assert dialogs == []
    desks.outside.remove("tel:15")  # the call that this test made


async def test_a_choice_of_a_list_is_work_and_the_name_that_signs_in_is_none(desks: Desks) -> None:
    page = await desks.arrive()
    await page.goto("/connexion")
    await page.get_by_label("Identifiant").fill("aide")
    assert not await asked_at_leaving(page)

    page = await desks.sign_in("home_service_manager")
    await page.goto("/service/tournees")
    await page.get_by_role("heading", level=1).tap()  # the browser asks whoever has touched the page alone
    assert not await asked_at_leaving(page)
    await page.goto("/service/tournees")
    chosen = page.locator("form[method=post] select").first
    await chosen.focus()
    await page.keyboard.press("ArrowDown")
    assert await asked_at_leaving(page)
