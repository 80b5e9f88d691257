"""A password is half a sign-in: the code that follows, who is led to set one up, and what a half opens (nothing)."""

import pytest

from liaison.auth.journal.entry import Event
from liaison.services.pages import entering
from liaison.services.pages import sign_in as sign_in_pages

from ...oauth.conftest import PASSWORD, Place, field, sign_in
from .conftest import code, second_step, secret_in, used_code, with_app

SESSION = "__Host-liaison"


async def test_after_the_password_comes_the_code_and_then_the_page_that_was_wanted(place: Place) -> None:
    secret = await with_app(place)
    async with place.browser() as browser:
        first = await sign_in(browser, "nurse", path="/connexion?suite=/mes-connexions%3Fa%3D1")
        assert first.headers["location"].startswith("/connexion/code?suite=")
        assert SESSION not in browser.cookies
        assert (await browser.get("/mes-connexions")).status_code == 303  # half is nothing

        done = await second_step(browser, first, code(secret))

        assert done.headers["location"] == "/mes-connexions?a=1"
        assert "Camille NURSE" in (await browser.get("/mes-connexions")).text
    events = await place.house.database.reading.fetch("select event, outcome from journal_entry where event = 20")
    assert [tuple(row) for row in events] == [(Event.SIGN_IN, 0)]


async def test_a_wrong_or_used_code_is_refused_and_journaled(place: Place) -> None:
    secret = await with_app(place)
    async with place.browser() as browser:
        first = await sign_in(browser, "nurse")
        for given in ("", "abc", "000", await used_code(place, secret)):
            answer = await second_step(browser, first, given)
            assert answer.status_code == 403
            assert "Ce code n’est pas le bon" in answer.text
        assert SESSION not in browser.cookies
        assert (await second_step(browser, first, code(secret))).status_code == 303
    refused = await place.house.database.reading.fetchval(
        "select count(*) from journal_entry where event = 20 and outcome = 4 and person <> 0"
    )
    assert refused == 4


async def test_the_second_half_belongs_to_the_browser_that_did_the_first(place: Place) -> None:
    secret = await with_app(place)
    async with place.browser() as browser, place.browser() as other:
        first = await sign_in(browser, "nurse")
        assert (await other.get(first.headers["location"])).headers["location"].startswith("/connexion?")
        page = await other.get("/connexion")
        stolen = await other.post("/connexion/code", data={"csrf": field(page.text, "csrf"), "code": code(secret)})
        assert stolen.headers["location"] == "/connexion"
        assert (await second_step(browser, first, code(secret))).status_code == 303


async def test_a_first_half_ends_after_a_few_minutes(place: Place) -> None:
    secret = await with_app(place)
    async with place.browser() as browser:
        first = await sign_in(browser, "nurse")
        page = await browser.get(first.headers["location"])
        await place.house.database.writing.execute("update ceremony set expires_at = now()")
        form = {"csrf": field(page.text, "csrf"), "code": code(secret)}
        assert (await browser.post("/connexion/code", data=form)).headers["location"] == "/connexion"
        assert SESSION not in browser.cookies


async def test_where_real_people_sign_in_a_password_alone_opens_nothing_but_the_way_to_a_second_factor(
    real: Place,
) -> None:
    async with real.browser() as browser:
        first = await sign_in(browser, "nurse", path="/connexion?suite=/mes-connexions")
        assert first.headers["location"] == "/ma-securite?suite=%2Fmes-connexions"
        principals = await real.house.database.reading.fetchval("select principals from access_session")
        assert principals == []
        for path in ("/mes-connexions", "/role", "/mes-patients", "/oauth/authorize?client_id=app"):
            assert "Camille" not in (await browser.get(path)).text
        assert (await browser.get("/role?suite=/x")).headers["location"] == "/ma-securite?suite=%2Fx"
        before = browser.cookies[SESSION]

        mine = await browser.get(first.headers["location"])
        form = {name: field(mine.text, name) for name in ("csrf", "suite")}
        assert "Il vous manque un second facteur" in mine.text
        to_app = await browser.post("/ma-securite/code/preparer", data=form)
        page = await browser.get(to_app.headers["location"])
        form = {name: field(page.text, name) for name in ("csrf", "suite")}
        wrong = await browser.post("/ma-securite/code", data={**form, "code": "x"})
        assert wrong.status_code == 422
        assert "Ce n’est pas le code" in wrong.text
        done = await browser.post("/ma-securite/code", data={**form, "code": code(secret_in(page.text))})

        assert done.headers["location"] == "/mes-connexions"
        assert browser.cookies[SESSION] != before
        assert "Infirmier" in (await browser.get("/mes-connexions")).text


@pytest.mark.parametrize("path", ["/ma-securite", "/ma-securite/code"])
async def test_who_has_no_second_factor_yet_can_leave(real: Place, path: str) -> None:
    async with real.browser() as browser:
        first = await sign_in(browser, "nurse")
        mine = await browser.get(first.headers["location"])
        await browser.post("/ma-securite/code/preparer", data={"csrf": field(mine.text, "csrf"), "suite": "/"})
        page = await browser.get(path)
        assert page.text.count('action="/deconnexion"') == 1

        gone = await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})

        assert gone.headers["location"] == "/connexion"
        assert (await browser.get(path)).headers["location"].startswith("/connexion")


async def test_without_the_rule_a_password_alone_would_do(real: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""

    async def never(request: object) -> bool:
        return False

    monkeypatch.setattr(entering, "two_needed", never)
    monkeypatch.setattr(sign_in_pages, "two_needed", never)
    async with real.browser() as browser:
        assert (await sign_in(browser, "nurse")).headers["location"] == "/"
        assert "Infirmier" in (await browser.get("/mes-connexions")).text


async def test_a_factor_is_changed_only_by_who_has_just_proven_it(place: Place) -> None:
    secret = await with_app(place)
    async with place.browser() as browser:
        await second_step(browser, await sign_in(browser, "nurse"), code(secret))
        page = await browser.get("/ma-securite")
        csrf = field(page.text, "csrf")
        assert "En place" in page.text
        assert "Retirer l’application" not in page.text  # the only one stays
        await browser.post("/ma-securite/code/retirer", data={"csrf": csrf})
        assert "En place" in (await browser.get("/ma-securite")).text

        await place.house.database.writing.execute("update browser_session set started_at = now() - interval '1 hour'")
        sent = await browser.get("/ma-securite")
        assert sent.headers["location"] == "/confirmer?suite=%2Fma-securite"
        assert (await browser.post("/ma-securite/code/preparer", data={"csrf": csrf})).headers[
            "location"
        ] == "/confirmer"


async def test_the_password_is_no_second_factor(place: Place) -> None:
    """Step-up of an account that has an app: the code, and nothing else."""
    secret = await with_app(place)
    async with place.browser() as browser:
        await second_step(browser, await sign_in(browser, "nurse"), code(secret))
        await place.house.database.writing.execute("update browser_session set started_at = now() - interval '1 hour'")
        page = await browser.get("/confirmer?suite=/ma-securite")
        assert 'name="secret"' not in page.text
        form = {name: field(page.text, name) for name in ("csrf", "suite")}
        before = browser.cookies[SESSION]

        empty = await browser.post("/confirmer", data=form)  # as of who presses before the passkey was touched
        assert empty.status_code == 403
        assert "Prouvez une fois de plus" in empty.text
        assert await place.house.database.reading.fetchval("select failures from totp") == 0
        for given in ({"secret": PASSWORD}, {"totp": PASSWORD}, {"totp": await used_code(place, secret)}):
            assert (await browser.post("/confirmer", data={**form, **given})).status_code == 403
        assert browser.cookies[SESSION] == before
        done = await browser.post("/confirmer", data={**form, "totp": code(secret, 1)})

        assert done.headers["location"] == "/ma-securite"
        assert browser.cookies[SESSION] != before
        assert (await browser.get("/ma-securite")).status_code == 200


async def test_a_session_of_one_factor_is_not_recent_for_an_account_that_has_two(place: Place) -> None:
    """Signed in with the password alone, and an app set up since elsewhere."""
    async with place.signed_in() as browser:
        assert (await browser.get("/ma-securite")).status_code == 200
        await with_app(place)

        assert (await browser.get("/ma-securite")).headers["location"].startswith("/confirmer")
        assert 'name="totp"' in (await browser.get("/urgence")).text


async def test_a_session_left_alone_for_half_an_hour_is_over(place: Place) -> None:
    writing = place.house.database.writing
    async with place.signed_in() as browser:
        await writing.execute("update browser_session set seen_at = now() - interval '29 minutes'")
        assert (await browser.get("/mes-connexions")).status_code == 200
        seen = await writing.fetchval("select seen_at > now() - interval '1 minute' from browser_session")
        assert seen  # using it keeps it
        await writing.execute("update browser_session set seen_at = now() - interval '31 minutes'")
        assert (await browser.get("/mes-connexions")).status_code == 303
