"""Signing in and out, in a browser's eyes: cookies, forms, roles, refusals, and the journal."""

import re

import httpx
import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.people import accounts, phones
from liaison.services.house import House
from liaison.services.pages.entering import local

from ..oauth.conftest import PASSWORD, URL, Place, declared_as, field, sign_in


async def events(house: House) -> list[tuple[int, int]]:
    rows = await house.database.reading.fetch(
        "select event, outcome from journal_entry where event in (20, 21) order by at, sequence"
    )
    return [(row["event"], row["outcome"]) for row in rows]


def cookie_of(answer: httpx.Response, name: str = "__Host-liaison") -> str:
    """The Set-Cookie header of one cookie."""
    return next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))


async def test_the_right_secret_opens_a_session_in_the_only_role(place: Place) -> None:
    async with place.browser() as browser:
        answer = await sign_in(browser, "nurse")
        page = await browser.get("/mes-connexions")

    assert answer.status_code == 303
    cookie = cookie_of(answer)
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert "Camille NURSE" in page.text
    assert "Infirmier, Maison de santé de Kervanec" in page.text
    assert "Se déconnecter" in page.text
    assert (Event.SIGN_IN, 0) in await events(place.house)


async def test_every_refusal_is_one_page(place: Place) -> None:
    async with place.house.database.writing.acquire() as connection:
        await accounts.suspend(connection, "both")
    bodies = set()
    async with place.browser() as browser:
        for username, secret in (("nurse", "wrong"), ("nobody", PASSWORD), ("both", PASSWORD), ("nurse", "000000")):
            answer = await sign_in(browser, username, secret)
            assert answer.status_code == 403
            assert "__Host-liaison=" not in str(answer.headers)
            bodies.add(answer.text.replace(f'value="{username}"', ""))

    assert len(bodies) == 1
    assert "n’est pas le bon" in bodies.pop()
    assert (Event.SIGN_IN, 4) in await events(place.house)


async def test_a_passkey_is_offered_before_a_password(place: Place) -> None:
    async with place.browser() as browser:
        page = (await browser.get("/connexion")).text
    assert 0 < page.index('data-at="/connexion/cle"') < page.index('id="identifiant"')


async def test_what_was_typed_is_not_in_the_journal_in_clear(place: Place) -> None:
    async with place.browser() as browser:
        await sign_in(browser, "typed-by-mistake", "wrong")

    rows = await place.house.database.reading.fetch("select sealed from journal_entry")
    assert rows
    assert all(b"typed-by-mistake" not in row["sealed"] for row in rows)


async def test_nobody_signed_in_is_sent_to_sign_in_and_back(place: Place) -> None:
    async with place.browser() as browser:
        sent = await browser.get("/mes-connexions?a=1")
        answer = await sign_in(browser, "nurse", path=sent.headers["location"])

    assert sent.headers["location"] == "/connexion?suite=%2Fmes-connexions%3Fa%3D1"
    assert answer.headers["location"] == "/mes-connexions?a=1"


async def test_signing_in_never_leads_elsewhere(place: Place) -> None:
    async with place.browser() as browser:
        for path in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
            page = await browser.get("/connexion", params={"suite": path})
            assert field(page.text, "suite") == "/"


def test_only_addresses_of_this_site_are_local() -> None:
    assert local("/mes-patients?x=1") == "/mes-patients?x=1"
    for path in ("", "x", "//x", "http://x", "/\\x", "/\nx", "/" + "x" * 9000):
        assert local(path) == "/"


async def test_a_form_from_elsewhere_is_refused(place: Place) -> None:
    form = {"identifiant": "nurse", "secret": PASSWORD, "suite": "/"}
    async with place.browser() as browser:
        page = await browser.get("/connexion")
        csrf = field(page.text, "csrf")

        assert (await browser.post("/connexion", data=form)).status_code == 403
        assert (await browser.post("/connexion", data={**form, "csrf": "x"})).status_code == 403
        cross = {"sec-fetch-site": "cross-site"}
        assert (await browser.post("/connexion", data={**form, "csrf": csrf}, headers=cross)).status_code == 403
        assert (await browser.post("/connexion", data={**form, "csrf": csrf})).status_code == 303
    async with place.browser() as other:  # the token of another browser
        assert (await other.post("/connexion", data={**form, "csrf": csrf})).status_code == 403


async def test_the_token_of_another_session_is_refused(place: Place) -> None:
    async with place.signed_in() as one, place.signed_in("patient") as other:
        foreign = field((await other.get("/mes-connexions")).text, "csrf")

        assert (await one.post("/deconnexion", data={"csrf": foreign})).status_code == 403
        assert (await one.get("/mes-connexions")).status_code == 200


async def test_a_script_may_send_the_token_in_a_header(place: Place) -> None:
    async with place.signed_in() as browser:
        csrf = field((await browser.get("/mes-connexions")).text, "csrf")

        assert (await browser.post("/deconnexion", headers={"x-csrf-token": csrf})).status_code == 303


async def test_signing_out_ends_a_copied_cookie_too(place: Place) -> None:
    async with place.signed_in() as browser, place.browser() as thief:
        thief.cookies.set("__Host-liaison", browser.cookies["__Host-liaison"])
        assert (await thief.get("/mes-connexions")).status_code == 200

        csrf = field((await browser.get("/mes-connexions")).text, "csrf")
        await browser.post("/deconnexion", data={"csrf": csrf})

        assert (await thief.get("/mes-connexions")).status_code == 303
    assert (Event.SIGN_OUT, 0) in await events(place.house)


async def test_state_does_not_change_on_get(place: Place) -> None:
    async with place.signed_in() as browser:
        assert (await browser.get("/deconnexion")).status_code == 405
        assert (await browser.get("/mes-connexions")).status_code == 200


async def test_signing_in_again_gives_another_cookie_and_ends_the_first(place: Place) -> None:
    async with place.signed_in() as browser, place.browser() as copy:
        first = browser.cookies["__Host-liaison"]
        page = await browser.get("/mes-connexions")
        form = {"csrf": field(page.text, "csrf"), "identifiant": "nurse", "secret": PASSWORD}
        await browser.post("/connexion", data=form)

        assert browser.cookies["__Host-liaison"] != first
        copy.cookies.set("__Host-liaison", first)
        assert (await copy.get("/mes-connexions")).status_code == 303


async def test_two_roles_are_a_choice_shown_on_every_page(place: Place) -> None:
    async with place.browser() as browser:
        answer = await sign_in(browser, "both")
        assert answer.headers["location"].startswith("/role")
        before = browser.cookies["__Host-liaison"]
        assert (await browser.get("/mes-connexions")).headers["location"].startswith("/role?suite=")

        page = await browser.get("/role")
        assert "Infirmier, Maison de santé de Kervanec" in page.text
        values = dict(re.findall(r'value="([^"]+)"[^>]*>\s*<label[^>]*>\s*(.*?)\s*</label>', page.text, re.DOTALL))
        nothing = await browser.post("/role", data={"csrf": field(page.text, "csrf")})
        assert nothing.status_code == 422
        made_up = await browser.post("/role", data={"csrf": field(page.text, "csrf"), "role": "1.admin"})
        assert made_up.status_code == 422

        chosen = next(value for value, label in values.items() if label.startswith("Coordinateur"))
        form = {"csrf": field(page.text, "csrf"), "role": chosen, "suite": "/mes-connexions"}
        done = await browser.post("/role", data=form)

        assert done.headers["location"] == "/mes-connexions"
        assert browser.cookies["__Host-liaison"] != before
        shown = (await browser.get("/mes-connexions")).text
        assert "Coordinateur de parcours, Maison de santé de Kervanec" in shown
        assert "Changer de rôle" in shown


async def test_the_way_back_survives_the_choice_of_a_role(place: Place) -> None:
    async with place.browser() as browser:
        sent = await browser.get("/mes-connexions?a=1&b=2")
        answer = await sign_in(browser, "both", path=sent.headers["location"])
        page = await browser.get(answer.headers["location"])

    assert field(page.text, "suite") == "/mes-connexions?a=1&b=2"


async def test_someone_without_a_role_is_told_so(place: Place) -> None:
    async with place.browser() as browser:
        await sign_in(browser, "none")
        page = await browser.get("/role")

    assert "Aucun rôle en cours" in page.text


@pytest.mark.parametrize("path", ["/mes-connexions", "/mes-applications", "/ma-securite", "/confirmer"])
async def test_someone_without_a_role_has_the_pages_that_need_none_and_leaves(place: Place, path: str) -> None:
    async with place.browser() as browser:
        await sign_in(browser, "none")
        page = await browser.get(path)
        assert page.status_code == 200
        gone = await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})
        assert gone.headers["location"] == "/connexion"


async def test_a_role_that_ends_ends_the_session_at_the_next_page(place: Place) -> None:
    async with place.signed_in() as browser:
        assert (await browser.get("/mes-connexions")).status_code == 200
        await place.house.database.writing.execute("update access_session set expires_at = now()")

        assert (await browser.get("/mes-connexions")).status_code == 303


async def test_a_pin_needs_the_services_phone(place: Place) -> None:
    async with place.house.database.writing.acquire() as connection:
        await accounts.set_secret(connection, "nurse", pin="271828")
        service = await connection.fetchval("select organization from held_role where role_code = 'nurse' limit 1")
        secret = await phones.enrol(connection, service, "Téléphone 1")
    await declared_as(place, None)
    async with place.browser() as desk, place.browser() as phone:
        phone.cookies.set("__Host-liaison-phone", secret)

        assert (await sign_in(desk, "nurse", "271828")).status_code == 403
        assert (await sign_in(phone, "nurse", "271828")).status_code == 303


async def test_a_base_that_does_not_say_what_it_is_asks_for_two_factors(place: Place) -> None:
    async with place.browser() as browser:
        assert (await sign_in(browser, "nurse")).headers["location"] == "/"
    await declared_as(place, None)
    async with place.browser() as browser:
        assert (await sign_in(browser, "nurse")).headers["location"].startswith("/ma-securite")
        assert (await browser.get("/mes-connexions")).headers["location"].startswith("/role")


async def test_pages_are_confined_and_kept_by_nobody(place: Place) -> None:
    async with place.signed_in() as browser:
        for path in ("/connexion", "/mes-connexions", "/role", "/"):
            answer = await browser.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_over_plain_http_cookies_lose_their_prefix_and_nothing_else(place: Place) -> None:
    place.house.settings = place.house.settings.model_copy(update={"public_url": "http://127.0.0.1:8080"})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(place.app), base_url="http://127.0.0.1:8080") as browser:
        answer = await sign_in(browser, "nurse")

        assert answer.status_code == 303
        cookie = cookie_of(answer, "liaison")
        assert "Secure" not in cookie
        assert "HttpOnly" in cookie
        assert (await browser.get("/mes-connexions")).status_code == 200


async def test_the_whole_page_is_in_the_language_asked_for(place: Place) -> None:
    async with place.browser() as browser:
        french = await browser.get("/connexion", headers={"accept-language": "en-GB"})
        english = await browser.get("/connexion?lang=en")
        kept = await browser.get("/connexion")

    assert '<html lang="fr"' in french.text
    assert '<html lang="en"' in english.text
    assert "Sign in" in english.text
    assert "Mot de passe" not in english.text
    assert '<html lang="en"' in kept.text  # the choice is remembered
    assert URL not in english.text
