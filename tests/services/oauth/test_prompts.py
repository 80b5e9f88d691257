"""`prompt` and `max_age`: a page is shown when it is asked for, never with `none`, and each thing is asked once."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from liaison.auth.oauth2 import id_token
from liaison.fhir.store import faults
from liaison.services.oauth import prompting
from liaison.services.oauth.prompting import FIELD

from .conftest import PASSWORD, REDIRECT, Place, agree, asking, claims_of, field, query_of, redeem, sign_in

APP = "user/Patient.rs openid"


async def ask(browser: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await browser.get("/oauth/authorize", params=asking(scope=APP, **changes))


async def follow(browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Where a page of ours leads; the software's own address is not followed."""
    while not answer.headers.get("location", REDIRECT).startswith(REDIRECT):
        answer = await browser.get(answer.headers["location"])
    return answer


async def prove(browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Types the password once more where the answer leads; where that leads."""
    assert answer.headers["location"].startswith("/confirmer"), answer.headers
    page = await browser.get(answer.headers["location"])
    form = {name: field(page.text, name) for name in ("csrf", "suite")}
    done = await browser.post("/confirmer", data={**form, "secret": PASSWORD})
    assert done.status_code == 303, done.text
    return await browser.get(done.headers["location"])


async def later(place: Place, seconds: int) -> None:
    """Sign-ins of this base are that much older."""
    await place.house.database.writing.execute(
        "update browser_session set started_at = started_at - make_interval(secs => $1)", float(seconds)
    )


def consented(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and "Autoriser Cabinet+ ?" in answer.text


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"prompt": "none"}, "consent_required"),
        ({"prompt": "none", "scope": "launch/encounter user/Patient.rs"}, "interaction_required"),
        ({"prompt": "none", "max_age": "60"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
    ],
)
async def test_none_shows_no_page_and_what_is_malformed_is_said(
    shared: Place, wanted: dict[str, str], error: str
) -> None:
    async with shared.signed_in() as browser:
        await later(shared, 90)
        answer = await browser.get("/oauth/authorize", params=asking(**{"scope": APP, **wanted}))

    assert answer.headers["location"].startswith(REDIRECT)
    assert query_of(answer)["error"] == error


async def test_none_and_a_role_to_choose(shared: Place) -> None:
    async with shared.signed_in("both") as browser:
        assert query_of(await ask(browser, prompt="none"))["error"] == "interaction_required"


async def test_none_sends_nothing_to_an_address_that_is_not_registered(shared: Place) -> None:
    async with shared.browser() as browser:
        answer = await ask(browser, prompt="none", redirect_uri="https://evil.example/callback")

    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("wanted", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login consent", "max_age": "9"}])
async def test_who_is_signed_in_proves_it_once_more_and_once(shared: Place, wanted: dict[str, str]) -> None:
    async with shared.signed_in() as browser:
        await later(shared, 90)
        before = await _proven_at(shared)
        page = await prove(browser, await ask(browser, **wanted))
        assert consented(page)
        form = {name: field(page.text, name) for name in ("csrf", "request")}
        answer = await browser.post(
            "/oauth/consent", data={**form, "decision": "accept", "scope": ["0.rs", "identity"]}
        )
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert claims_of(content["id_token"])["auth_time"] == int(await _proven_at(shared)) > before


async def _proven_at(place: Place) -> float:
    text = "select extract(epoch from max(started_at))::float8 from browser_session"
    found: float = await place.house.database.reading.fetchval(text)
    return found


async def test_max_age_asks_nothing_of_a_sign_in_that_is_young_enough(shared: Place) -> None:
    async with shared.signed_in() as browser:
        assert consented(await ask(browser, max_age="600"))


async def test_a_sign_in_for_this_request_is_not_asked_again(shared: Place) -> None:
    async with shared.browser() as browser:
        away = await ask(browser, prompt="login select_account")
        entered = await sign_in(browser, "nurse", path=away.headers["location"])

        assert consented(await browser.get(entered.headers["location"]))


async def _marked(browser: httpx.AsyncClient, **wanted: str) -> dict[str, str]:
    """The parameters of a request whose owner has proven themselves for it."""
    done = await prove(browser, await ask(browser, **wanted))
    return dict(parse_qsl(done.request.url.query.decode()))


async def test_a_proof_is_of_one_request_one_browser_and_one_decision(shared: Place) -> None:
    async with shared.signed_in() as browser:
        marked = await _marked(browser, prompt="login")
        assert consented(await browser.get("/oauth/authorize", params=marked))

        other = {**marked, "state": "another"}
        forged = {**marked, FIELD: marked[FIELD][:-4] + "AAAA"}
        without = {name: value for name, value in marked.items() if name != FIELD}
        for planted in (other, forged, without):
            answer = await browser.get("/oauth/authorize", params=planted)
            assert answer.headers["location"].startswith("/confirmer"), planted
        async with shared.signed_in() as elsewhere:
            answer = await elsewhere.get("/oauth/authorize", params=marked)
            assert answer.headers["location"].startswith("/confirmer")

        page = await browser.get("/oauth/authorize", params=marked)
        form = {name: field(page.text, name) for name in ("csrf", "request")}
        await browser.post("/oauth/consent", data={**form, "decision": "refuse"})
        again = await browser.get("/oauth/authorize", params=marked)
        assert again.headers["location"].startswith("/confirmer")


async def test_the_consent_page_cannot_be_answered_around_it(shared: Place) -> None:
    async with shared.signed_in() as browser:
        page = await ask(browser)
        csrf = field(page.text, "csrf")
        stolen = field(page.text, "request") + "&prompt=login"
        answer = await browser.post(
            "/oauth/consent", data={"csrf": csrf, "request": stolen, "decision": "accept", "scope": "0.rs"}
        )

    assert answer.headers["location"].startswith("/confirmer")


async def test_a_session_from_before_does_not_pass_for_a_new_one(shared: Place) -> None:
    async with shared.signed_in() as browser:
        away = await ask(browser, prompt="login")
        back = dict(parse_qsl(urlsplit(away.headers["location"]).query))["suite"]
        for _ in range(3):  # no loop either: each time the same page, which asks
            answer = await browser.get(back)
            assert answer.headers["location"].startswith("/confirmer")


async def choose(browser: httpx.AsyncClient, page: httpx.Response, decision: str) -> httpx.Response:
    assert "Avec quel compte ouvrir Cabinet+ ?" in page.text
    form = {name: field(page.text, name) for name in ("csrf", "request")}
    return await browser.post("/oauth/account", data={**form, "decision": decision})


async def test_an_account_is_chosen_and_kept(shared: Place) -> None:
    async with shared.signed_in() as browser:
        answer = await choose(browser, await ask(browser, prompt="select_account"), "same")

        assert consented(await follow(browser, answer))


async def test_an_account_and_a_new_proof_are_asked_once_each(shared: Place) -> None:
    async with shared.signed_in() as browser:
        chosen = await choose(browser, await ask(browser, prompt="select_account login"), "same")

        assert consented(await prove(browser, await browser.get(chosen.headers["location"])))


async def test_another_account_ends_this_session(shared: Place) -> None:
    async with shared.signed_in() as browser:
        answer = await choose(browser, await ask(browser, prompt="select_account"), "other")
        assert (await browser.get("/mes-connexions")).headers["location"].startswith("/connexion")
        entered = await sign_in(browser, "dpo", path=answer.headers["location"])

        assert consented(await browser.get(entered.headers["location"]))


async def test_a_pushed_request_asks_the_same(shared: Place) -> None:
    async with shared.signed_in() as browser:
        pushed = (await browser.post("/oauth/par", data=asking(scope=APP, prompt="login"))).json()
        parameters: dict[str, Any] = {"client_id": "app", "request_uri": pushed["request_uri"]}

        assert consented(await prove(browser, await browser.get("/oauth/authorize", params=parameters)))


async def test_what_may_be_asked_is_announced(shared: Place) -> None:
    async with shared.browser() as browser:
        document = (await browser.get("/.well-known/openid-configuration")).json()
        answer = await agree(browser, prompt=" ".join(document["prompt_values_supported"][1:]))

    assert answer.headers["location"].startswith("/connexion")


async def _signed_in_token(browser: httpx.AsyncClient) -> str:
    """An id_token of whoever is signed in here, as the software has it."""
    code = query_of(await agree(browser, scope=APP))["code"]
    content: dict[str, str] = (await redeem(browser, code)).json()
    return content["id_token"]


async def test_a_request_that_is_for_one_person_is_answered_by_no_other(shared: Place) -> None:
    async with shared.signed_in() as browser:
        hint = await _signed_in_token(browser)
        assert consented(await ask(browser, id_token_hint=hint))
        assert query_of(await ask(browser, id_token_hint=hint, prompt="none"))["error"] == "consent_required"
    async with shared.signed_in("dpo") as other:
        for prompt in ({}, {"prompt": "none"}):
            answer = await ask(other, id_token_hint=hint, **prompt)
            assert answer.headers["location"].startswith(REDIRECT)
            assert query_of(answer)["error"] == "login_required"
        # A choice of account leads to the right one.
        page = await ask(other, id_token_hint=hint, prompt="select_account")
        away = await choose(other, page, "other")
        entered = await sign_in(other, "nurse", path=away.headers["location"])
        assert consented(await other.get(entered.headers["location"]))


@pytest.mark.parametrize("planted", ["x", "a.b.c", "forged", "another client's", "é"])
async def test_a_hint_that_this_software_did_not_have_from_us_is_refused(shared: Place, planted: str) -> None:
    async with shared.signed_in() as browser:
        hint = await _signed_in_token(browser)
        house = shared.house
        if planted == "another client's":
            hint = await id_token.issue(
                house.signing_keys,
                issuer=house.settings.public_url,
                subject="1",
                client_id="another",
                nonce="",
                fhir_user="",
                signed_in_at=0,
            )
        elif planted == "forged":
            header, _, signature = hint.split(".")
            hint = f"{header}.{hint.split('.')[1][:-4]}AAAA.{signature}"
        else:
            hint = planted
        for prompt in ({}, {"prompt": "none"}):
            answer = await ask(browser, id_token_hint=hint, **prompt)
            assert query_of(answer)["error"] == "invalid_request"
            assert "code" not in query_of(answer)


class _Down:
    """The database, from one moment on."""

    async def fetchrow(self, *_: object) -> None:
        raise ConnectionRefusedError

    fetchval = fetch = execute = fetchrow


async def test_without_its_database_none_says_try_again_and_else_a_page_does(
    shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared.signed_in() as browser:

        async def down(_request: object) -> None:
            with faults.reported():
                raise ConnectionRefusedError

        with monkeypatch.context() as broken:
            broken.setattr(prompting, "browser_of", down)  # once the address is known to be the software's
            answer = await ask(browser, prompt="none")
            assert answer.headers["location"].startswith(REDIRECT)
            assert query_of(answer)["error"] == "temporarily_unavailable"
            assert query_of(answer)["state"] == "state 1"
            page = await ask(browser)
            assert (page.status_code, "Indisponible pour un moment" in page.text) == (503, True)
        with monkeypatch.context() as broken:
            broken.setattr(shared.house.database, "reading", _Down())  # from the beginning: nothing proves the address
            answer = await ask(browser, prompt="none")
            assert answer.status_code == 503
            assert "location" not in answer.headers
