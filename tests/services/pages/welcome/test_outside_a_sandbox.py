"""In a base that is no sandbox, the demonstration's doors do not exist."""

import pytest

from ...oauth.conftest import Place, field


@pytest.mark.parametrize("path", ["/territoire", "/territoire/gp", "/territoire/histoire", "/territoire/autorite"])
async def test_there_is_no_front_page(place: Place, path: str) -> None:
    async with place.browser() as browser:
        assert (await browser.get(path)).status_code == 404


async def test_a_genuine_form_still_opens_no_door(place: Place) -> None:
    async with place.browser() as browser:
        csrf = field((await browser.get("/connexion")).text, "csrf")
        answer = await browser.post("/territoire/entrer", data={"csrf": csrf, "porte": "nurse"})

        assert answer.status_code == 404
        assert (await browser.get("/mes-connexions")).status_code == 303


async def test_the_same_form_opens_it_in_a_sandbox(place: Place) -> None:
    """The fault planted: were the base taken for a sandbox, this request would sign in."""
    place.app.state.sandbox = True
    async with place.browser() as browser:
        csrf = field((await browser.get("/territoire")).text, "csrf")
        answer = await browser.post("/territoire/entrer", data={"csrf": csrf, "porte": "nurse"})

        assert answer.status_code == 303
        assert (await browser.get("/mes-connexions")).status_code == 200


@pytest.mark.parametrize("door", ["nurse", "guardian"], ids=["ended", "none was opened"])
async def test_a_door_whose_account_has_ended_says_so(place: Place, door: str) -> None:
    place.app.state.sandbox = True
    await place.house.database.writing.execute("update account set ends_at = now() where username = 'nurse'")
    async with place.browser() as browser:
        csrf = field((await browser.get("/territoire")).text, "csrf")
        answer = await browser.post("/territoire/entrer", data={"csrf": csrf, "porte": door})

        assert (answer.status_code, "Cette porte est fermée" in answer.text) == (403, True)
        assert (await browser.get("/mes-connexions")).status_code == 303
