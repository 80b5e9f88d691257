"""A window that is used again is as good as new."""

import pytest

from .conftest import Desks

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_window_that_is_used_again_has_kept_nothing(desks: Desks) -> None:
    first = await desks.sign_in("gp")
    where = first.url
    await first.evaluate("localStorage.kept = sessionStorage.kept = 'yes'")
    await desks.leave()

    page = await desks.windows.take()
    assert page is first
    assert await page.go_back() is None
    assert await page.context.cookies() == []
    await page.goto(where)
    assert page.url.startswith(f"{desks.url}/connexion")
    assert await page.evaluate("[localStorage.kept, sessionStorage.kept].filter(Boolean)") == []
    await desks.windows.give_back(page)


async def test_a_window_that_a_test_has_changed_is_not_used_again(desks: Desks) -> None:
    first = await desks.sign_in("gp")
    desks.altered.append(first)
    await desks.leave()

    assert first.is_closed()


async def test_a_window_that_waits_for_an_answer_is_closed(desks: Desks) -> None:
    page = await desks.windows.take()
    await page.goto(f"{desks.url}/connexion")
    async with page.expect_request("**/sans-reponse"):
        await page.route("**/sans-reponse", lambda _route: None)
        await page.evaluate("setTimeout(() => location.assign('/sans-reponse'))")

    await desks.windows.give_back(page, patience=0.5)

    assert page.is_closed()
