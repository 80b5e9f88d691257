"""A form left open past the end of its session: nothing is recorded, nothing that was typed is lost."""

import re

import httpx

from liaison.auth.people import kept_forms

from ..oauth.conftest import Place, field, sign_in

SAME = {"sec-fetch-site": "same-origin"}
WEIGHT = {"code": "29463-7", "value": "73,5"}


def measures(place: Place) -> str:
    return f"/dossiers/{place.patient}/mesures"


async def opened(place: Place, browser: httpx.AsyncClient) -> dict[str, str]:
    """The form that adds a measure, filled."""
    return {"csrf": field((await browser.get(measures(place))).text, "csrf"), **WEIGHT}


async def weights(place: Place) -> int:
    async with place.signed_in() as browser:
        return (await browser.get(measures(place))).text.count("73,5")


async def time_out(place: Place) -> None:
    await place.house.database.writing.execute("update browser_session set expires_at = now()")


def hidden(text: str) -> dict[str, str]:
    """The fields of the form that sends again what was kept."""
    form = text.partition("/ajouter")[2].partition("</form>")[0]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


async def test_what_was_typed_is_found_after_signing_in_and_sent_at_one_touch(place: Place) -> None:
    async with place.signed_in() as browser:
        form = await opened(place, browser)
        await time_out(place)
        over = await browser.post(f"{measures(place)}/ajouter", data=form, headers=SAME)
        assert over.status_code == 403
        assert "Votre session a pris fin" in over.text
        assert "73,5" not in over.text
        follow = re.search(r'href="(/connexion\?suite=[^"]+)"', over.text)
        assert follow
        entered = await sign_in(browser, "nurse", path=follow[1])
        again = await browser.get(entered.headers["location"])
        assert "73,5" in again.text
        assert "Envoyer au nom de Camille NURSE" in again.text
        sent = await browser.post(f"{measures(place)}/ajouter", data=hidden(again.text), headers=SAME)
        assert (sent.status_code, sent.headers["location"]) == (303, measures(place))

    assert await weights(place) == 1


async def test_it_is_its_owners_alone_sealed_and_without_secrets(place: Place) -> None:
    async with place.signed_in() as browser:
        form = {**await opened(place, browser), "secret": "cheval exact"}
        await time_out(place)
        over = await browser.post(f"{measures(place)}/ajouter", data=form)
        follow = re.search(r"suite=([^\"]+)", over.text)
        assert follow
        address = follow[1].replace("%2F", "/")
        own = await (await _as(place, "nurse")).get(address)
        others = await (await _as(place, "both")).get(address)
        unknown = await (await _as(place, "nurse")).get("/reprise/unknown")
        house, handle = place.house, address.rpartition("/")[2]
        row = await house.database.reading.fetchrow("select * from kept_form")
        assert row is not None
        await house.database.writing.execute("update kept_form set account = account + 1")
        moved = await kept_forms.find(house.database.reading, house.vault.territory, row["account"] + 1, handle)

    assert (own.status_code, others.status_code in (303, 404), unknown.status_code) == (200, True, 404)
    assert "cheval" not in own.text
    assert "73,5" not in others.text
    assert b"73,5" not in bytes(row["sealed"])
    assert handle.encode() not in bytes(row["token"])
    assert moved is None


async def _as(place: Place, username: str) -> httpx.AsyncClient:
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(place.app), base_url="https://liaison.example")
    browser.base_url = httpx.URL(place.house.settings.public_url)
    await sign_in(browser, username)
    return browser


async def test_a_form_that_is_not_ours_is_not_kept(place: Place) -> None:
    async with place.signed_in() as browser, place.browser() as nobody:
        form = await opened(place, browser)
        await time_out(place)
        forged = await browser.post(f"{measures(place)}/ajouter", data={**form, "csrf": "guess"}, headers=SAME)
        bare = await nobody.post(f"{measures(place)}/ajouter", data=form, headers=SAME)
        elsewhere = await browser.post(
            f"{measures(place)}/ajouter", data=form, headers={"sec-fetch-site": "cross-site"}
        )
    kept = await place.house.database.reading.fetchval("select count(*) from kept_form")

    assert [one.status_code for one in (forged, bare, elsewhere)] == [403, 403, 403]
    assert "à recopier" in forged.text
    assert 'name="value"' not in forged.text + bare.text
    assert "73,5" not in elsewhere.text
    assert kept == 0
    assert await weights(place) == 0


async def test_a_page_of_another_session_shows_what_was_typed_and_records_nothing(place: Place) -> None:
    async with place.signed_in() as browser:
        form = await opened(place, browser)
        page = await browser.get("/mes-connexions")
        await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})
        await sign_in(browser, "nurse")
        shown = await browser.post(f"{measures(place)}/ajouter", data=form, headers=SAME)
        unsure = await browser.post(f"{measures(place)}/ajouter", data=form)
        assert await weights(place) == 0
        await browser.post(f"{measures(place)}/ajouter", data=hidden(shown.text), headers=SAME)

    assert (shown.status_code, "73,5" in shown.text) == (403, True)
    assert (unsure.status_code, "73,5" in unsure.text) == (403, False)
    assert await weights(place) == 1


async def test_signing_in_or_out_twice_is_no_error(place: Place) -> None:
    async with place.browser() as browser:
        page = await browser.get("/connexion")
        signing_in = {"csrf": field(page.text, "csrf"), "identifiant": "nurse", "secret": "x"}
        await sign_in(browser, "nurse")
        again = await browser.post("/connexion", data=signing_in, headers=SAME)
        out = {"csrf": field((await browser.get("/mes-connexions")).text, "csrf")}
        answers = [await browser.post("/deconnexion", data=out, headers=SAME) for _ in range(2)]

    assert {(one.status_code, one.headers["location"]) for one in (again, *answers)} == {(303, "/connexion")}
