"""A route that is a page: who gets in, what a refusal looks like, and which forms are believed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from liaison.fhir.errors import Conflict, FhirError, NotFound, Unavailable, Unprocessable
from liaison.services.pages.nowhere import around_pages
from liaison.services.pages.page import page
from liaison.services.pages.signed_in import signed_in
from liaison.services.pages.static_files import routes as static_routes

from ..oauth.conftest import Place, field

done: list[str] = []


async def act(request: Request) -> Response:
    _, me = await signed_in(request)
    done.append(me.name)
    return PlainTextResponse("done")


def raising(error: Exception) -> object:
    async def endpoint(request: Request) -> Response:
        raise error

    return endpoint


ROUTES = [
    page("/act", act, methods=("POST",)),
    # The planted fault: the same endpoint without the check of forms.
    page("/careless", act, methods=("POST",), changes_nothing=True),
    page("/for-auditors", act, roles=frozenset({"auditor"})),
    page("/for-nurses", act, roles=frozenset({"nurse"})),
    page("/small", act, methods=("POST",), body_limit=1000),
    *static_routes(),
]


@asynccontextmanager
async def at(place: Place, *routes: object) -> AsyncIterator[httpx.AsyncClient]:
    """A browser signed in at the place, looking at the routes of these tests."""
    app = Starlette(routes=[*ROUTES, *routes])  # type: ignore[list-item]  # Routes
    app.state.house = place.house
    done.clear()
    async with place.signed_in() as browser:
        csrf = field((await browser.get("/mes-connexions")).text, "csrf")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=browser.base_url, cookies=browser.cookies) as here:
            here.headers["x-test-csrf"] = csrf
            yield here


async def test_a_forged_form_does_nothing_and_would_without_the_check(place: Place) -> None:
    async with at(place) as browser:
        forged = {"sec-fetch-site": "cross-site"}
        genuine = {"csrf": browser.headers["x-test-csrf"]}
        elsewhere = {"origin": "https://elsewhere.example"}  # of a browser that knows no Fetch Metadata
        for said in (forged, elsewhere, {"origin": "https://[oops"}):
            assert (await browser.post("/act", headers=said, data=genuine)).status_code == 403, said
        assert (await browser.post("/act", data={"csrf": "guess"})).status_code == 403
        assert done == []

        assert (await browser.post("/careless", headers=forged)).text == "done"
        assert done == ["Camille NURSE"]


async def test_a_genuine_form_is_believed_by_field_or_header(place: Place) -> None:
    async with at(place) as browser:
        csrf = browser.headers["x-test-csrf"]
        assert (await browser.post("/act", data={"csrf": csrf})).text == "done"
        for said in (str(browser.base_url).rstrip("/"), place.house.settings.public_url, "null"):
            assert (await browser.post("/act", data={"csrf": csrf}, headers={"origin": said})).text == "done", said
        assert (await browser.post("/act", headers={"x-csrf-token": csrf}, json={"a": 1})).text == "done"


async def test_a_question_about_headers_is_no_form(place: Place) -> None:
    """Endpoints take what is no GET for a form, and no form is checked for HEAD: it would be one nobody vouched for."""
    asked: list[str] = []

    async def either(request: Request) -> Response:
        asked.append(request.method)
        return PlainTextResponse("shown")

    async with at(place, page("/either", either, methods=("GET", "POST"))) as browser:
        assert (await browser.head("/either")).status_code == 200
    assert asked == ["GET"]


async def test_an_address_that_is_none_is_a_page_and_trusts_no_host(place: Place) -> None:
    app = around_pages(_app(place))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as browser:
        nothing = await browser.get("/nulle-part")
        assert (nothing.status_code, "Rien ici" in nothing.text) == (404, True)
        assert "default-src 'none'" in nothing.headers["content-security-policy"]
        told = await browser.get("/small/?suite=%2Fx", headers={"host": "evil.example"})
        assert told.headers["location"] == "/small?suite=%2Fx"
        away = await browser.get(httpx.URL(browser.base_url, path="//evil.example/small/"))
        assert away.headers["location"] == "/"
        taken = await browser.delete("/small")
        assert (taken.status_code, set(taken.headers["allow"].split(", "))) == (405, {"POST"})


async def test_a_page_for_others_is_like_no_page(place: Place) -> None:
    async with at(place) as browser:
        assert (await browser.get("/for-nurses")).text == "done"
        refused = await browser.get("/for-auditors")
    async with place.browser() as nobody:
        nobody._transport = httpx.ASGITransport(_app(place))
        sent = await nobody.get("/for-auditors")

    assert refused.status_code == 404
    assert "Rien ici" in refused.text
    assert sent.headers["location"] == "/connexion?suite=%2Ffor-auditors"


def _app(place: Place) -> Starlette:
    app = Starlette(routes=ROUTES)
    app.state.house = place.house
    return app


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotFound(), 404, "Rien ici"),
        (Conflict("secret detail"), 409, "Déjà modifié"),
        (Unprocessable("secret detail"), 422, "ne peut pas être enregistré"),
        (Unavailable("secret detail"), 503, "Indisponible pour un moment"),
        (RuntimeError("secret detail"), 500, "Une erreur de notre côté"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_refusals_are_pages_in_plain_words(place: Place, error: FhirError, status: int, words: str) -> None:
    async with at(place, page("/raises", raising(error))) as browser:  # type: ignore[arg-type]  # an endpoint
        answer = await browser.get("/raises")

    assert answer.status_code == status
    assert words in answer.text
    assert "secret detail" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers


async def test_a_body_that_is_too_large_is_not_read_to_its_end(place: Place) -> None:
    async with at(place) as browser:
        csrf = browser.headers["x-test-csrf"]

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1_000_000):
                yield b"x" * 1000
            raise AssertionError("read to the end")

        refused = await browser.post("/small", content=endless(), headers={"x-csrf-token": csrf})

    assert refused.status_code == 413
    assert done == []


async def test_a_body_that_is_no_form_is_refused_in_words(place: Place) -> None:
    async with at(place) as browser:
        answer = await browser.post("/small", content=b"--x", headers={"content-type": "multipart/form-data"})

    assert answer.status_code == 400
    assert "La demande n’est pas complète" in answer.text
    assert done == []


async def test_a_character_that_no_text_holds_is_refused_in_words(place: Place) -> None:
    async with at(place) as browser:
        csrf = browser.headers["x-test-csrf"]
        asked = [
            await browser.get("/for-nurses?of=%00"),
            await browser.post("/small", data={"csrf": csrf, "name": "a\0"}),
            await browser.post("/small", data={"csrf": csrf, "a\0": "name"}),
        ]

    assert [one.status_code for one in asked] == [400, 400, 400]
    assert done == []


async def test_bundled_files_are_served_and_nothing_else(place: Place) -> None:
    async with at(place) as browser:
        kept = await browser.get("/static/liaison.css?v=1")
        assert kept.status_code == 200
        assert kept.headers["content-type"].startswith("text/css")
        assert "immutable" in kept.headers["cache-control"]
        assert kept.headers["x-content-type-options"] == "nosniff"
        for path in ("../layout.py", "..%2flayout.py", "%2e%2e/layout.py", "/etc/passwd", "", "nothing.css"):
            assert (await browser.get(f"/static/{path}")).status_code == 404


async def test_the_icon_is_where_browsers_look_for_one(place: Place) -> None:
    async with at(place) as browser:
        there, linked = await browser.get("/favicon.ico"), await browser.get("/static/icon.svg")
    assert (there.status_code, there.headers["content-type"]) == (200, "image/svg+xml")
    assert there.content == linked.content


def test_the_style_sheet_asks_nothing_of_anyone() -> None:
    from liaison.services.pages.layout import STATIC

    style = (STATIC / "liaison.css").read_text()

    fetched = re.findall(r"url\(\s*[\"']?([^)\"']*)", style)  # selectors may name addresses, rules may not
    assert [address for address in fetched if not address.startswith(("data:", "/static/", "#"))] == []
    assert "@import" not in style
    assert "@font-face" not in style
    assert "GDS Transport" not in style
    assert "#1d70b8" not in style  # GOV.UK's blue
