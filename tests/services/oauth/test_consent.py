"""The consent page: each thing asked for has a box, and what is granted is what stayed ticked."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from liaison.auth.oauth2 import clients
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.store.contract import Request
from liaison.services.oauth import consent, patients

from .conftest import FHIR, REDIRECT, Place, agree, asking, claims_of, field, query_of, redeem

BOTH = "openid fhirUser offline_access user/Observation.cruds user/Patient.rs"


async def granted(browser: httpx.AsyncClient, scope: str, *without: str) -> dict[str, str]:
    answer = await agree(browser, scope=scope, without=without)
    content: dict[str, str] = (await redeem(browser, query_of(answer)["code"])).json()
    return content


async def test_each_thing_asked_for_can_be_refused(shared: Place) -> None:
    async with shared.signed_in() as browser:
        whole = await granted(browser, BOTH)
        reading = await granted(browser, BOTH, "0.cud")
        one = await granted(browser, BOTH, "1.rs")
        nameless = await granted(browser, BOTH, "identity")
        short = await granted(browser, BOTH, "lasting")

    assert whole["scope"] == "fhirUser offline_access openid user/Observation.cruds user/Patient.rs"
    assert reading["scope"] == "fhirUser offline_access openid user/Observation.rs user/Patient.rs"
    assert one["scope"] == "fhirUser offline_access openid user/Observation.cruds"
    assert nameless["scope"] == "offline_access user/Observation.cruds user/Patient.rs"
    assert "id_token" not in nameless
    assert short["scope"] == "fhirUser openid user/Observation.cruds user/Patient.rs"
    assert "refresh_token" in whole
    assert "refresh_token" not in short


async def test_software_that_asks_for_everything_is_said_to_read_which_kinds(shared: Place) -> None:
    async with shared.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking(scope="user/*.rs"))
        english = await browser.get("/oauth/authorize", params={**asking(scope="user/*.rs"), "lang": "en"})

    kinds = re.findall(r"<li>([^<]*)</li>", page.text.partition('id="permis-1-hint"')[2].partition("</ul>")[0])
    assert "Maladies, allergies et antécédents, ceux de la famille compris" in kinds
    assert "Messages, notes de liaison et réponses aux questionnaires" in kinds
    assert "Aussi ce qui est sensible" in page.text
    assert "Treatments, prescriptions and vaccines" in english.text


async def test_refusing_everything_is_not_an_answer(shared: Place) -> None:
    async with shared.signed_in() as browser:
        answer = await agree(browser, scope="user/Patient.rs", without=("0.rs",))

    assert answer.status_code == 422
    assert "Laissez cochée une ligne au moins" in answer.text


async def test_a_box_that_was_not_there_gives_nothing(shared: Place) -> None:
    async with shared.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking(scope="user/Patient.rs"))
        form = {name: field(page.text, name) for name in ("csrf", "request")}
        forged = ["0.rs", "0.cud", "1.rs", "9.cud", "identity", "lasting", "user/*.cruds"]
        answer = await browser.post("/oauth/consent", data={**form, "decision": "accept", "scope": forged})
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert content["scope"] == "user/Patient.rs"
    assert "refresh_token" not in content


@pytest.mark.parametrize(
    "asked",
    ["user/*.cruds", "user/Observation.cs?category=x user/Task.u", "patient/*.rs user/*.d openid online_access", ""],
)
def test_all_boxes_give_what_was_asked_and_none_gives_nothing(asked: str) -> None:
    scopes = read_scopes(asked)
    boxes = [line.value for line in consent.lines(scopes, str)]

    assert consent.chosen(scopes, [*boxes, consent.IDENTITY, consent.LASTING]) == scopes
    assert not consent.chosen(scopes, [])


async def test_version_1_scopes_mean_those_of_version_2(shared: Place) -> None:
    async with shared.signed_in() as browser:
        content = await granted(browser, "user/Observation.read user/Condition.write user/Task.*")

    assert content["scope"] == "user/Condition.cud user/Observation.rs user/Task.cruds"


async def test_choosing_among_many_is_by_name(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows a few, and searches among those the person sees; nobody else is ever on it."""
    monkeypatch.setattr(patients, "MOST", 0)
    scope = "patient/Patient.rs"
    async with shared.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking(scope=scope))
        assert "Une partie du nom" in page.text
        monkeypatch.setattr(patients, "MOST", 20)
        form = {name: field(page.text, name) for name in ("csrf", "request")}
        found = await browser.post("/oauth/consent", data={**form, "decision": "search", "name": "goff"})
        nobody = await browser.post("/oauth/consent", data={**form, "decision": "search", "name": "zzz"})
        none = await browser.post("/oauth/consent", data={**form, "decision": "choose"})
        hidden = await browser.post(
            "/oauth/consent", data={**form, "decision": "choose", "patient": shared.other_patient}
        )
        english = await browser.get("/oauth/authorize", params={**asking(scope=scope), "lang": "en"})

    assert shared.patient in found.text
    assert shared.other_patient not in found.text
    assert "Personne de ce nom" in nobody.text
    # One patient only: it needs no choice. The hidden one is not taken in the place of it.
    assert "Patient LE GOFF" in none.text
    assert "Stranger" not in hidden.text
    assert "Untick what you refuse." in english.text


async def test_the_last_day_is_that_of_a_calendar_here(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past midnight in Paris it is still yesterday in universal time."""
    late = datetime(2026, 11, 29, 23, 17, tzinfo=UTC)
    monkeypatch.setattr(shared.house.database.clock, "now", lambda: late)
    async with shared.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking(scope=BOTH))
    assert "Jusqu’au mercredi 30 décembre 2026, même" in page.text


async def test_online_access_ends_with_the_sign_in_and_offline_access_does_not(shared: Place) -> None:
    async with shared.browser() as software:
        for scope, left in (("online_access user/Patient.rs", False), ("offline_access user/Patient.rs", True)):
            async with shared.signed_in() as browser:
                content = await granted(browser, scope)
                page = await browser.get("/mes-connexions")
                await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})
            alive = await shared.house.database.reading.fetchval(
                "select ended_at is null from access_session where session = $1",
                int(claims_of(content["access_token"])["sid"]),
            )
            form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": content["refresh_token"]}
            refreshed = await software.post("/oauth/token", data=form)

            assert alive is left, scope
            assert (refreshed.status_code == 200) is left, scope


async def test_a_code_of_someone_who_has_signed_out_is_worth_nothing(shared: Place) -> None:
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        page = await browser.get("/mes-connexions")
        await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})

        assert (await redeem(browser, code)).json()["error"] == "invalid_grant"


async def test_my_applications_shows_what_was_given_and_takes_it_back(shared: Place) -> None:
    async with shared.signed_in() as browser:
        content = await granted(browser, "offline_access launch/patient user/Observation.rs user/Patient.rs")
        page = await browser.get("/mes-applications")
        for words in ("Cabinet+", "Mesures et résultats : consulter", "Patient LE GOFF", "Même quand vous n’êtes pas"):
            assert words in page.text, words
        app = {"csrf": field(page.text, "csrf"), "app": field(page.text, "app")}
        async with shared.signed_in("patient") as someone_else:
            theirs = await someone_else.get("/mes-applications")
            assert "Cabinet+" not in theirs.text
            await someone_else.post("/mes-applications", data=app | {"csrf": field(theirs.text, "csrf")})
        form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": content["refresh_token"]}
        content = (await browser.post("/oauth/token", data=form)).json()  # someone else ended nothing
        assert "access_token" in content

        await browser.post("/mes-applications", data=app)

        assert "Aucun logiciel" in (await browser.get("/mes-applications")).text
        form["refresh_token"] = content["refresh_token"]
        assert (await browser.post("/oauth/token", data=form)).json()["error"] == "invalid_grant"
        authorization = {"authorization": f"Bearer {content['access_token']}"}
        assert (await browser.get("/oauth/userinfo", headers=authorization)).status_code == 401


async def test_a_launch_address_is_checked_when_it_is_registered(shared: Place) -> None:
    async with shared.house.database.writing.acquire() as connection:
        for scope, address in (
            ("user/*.rs", "https://app.example/launch"),
            ("launch user/*.rs", "http://app.example/launch"),
            ("launch user/*.rs", "fr.example.app:/launch"),
        ):
            with pytest.raises(clients.ClientProblem):
                await clients.add(
                    connection, client_id="x", kind="app", name="X", scope=scope,
                    redirect_uris=["https://app.example/"], launch_url=address,
                )  # fmt: skip


@pytest.fixture
async def sign_in_only(place: Place) -> Place:
    """Software that is registered to ask who someone is, and nothing else."""
    async with place.house.database.writing.acquire() as connection:
        await clients.add(
            connection, client_id="sso", kind="app", name="Portail", scope="openid fhirUser online_access",
            redirect_uris=[REDIRECT],
        )  # fmt: skip
    return place


async def test_software_that_only_asks_who_someone_is_is_told(sign_in_only: Place) -> None:
    async with sign_in_only.signed_in() as browser:
        asked = {"client_id": "sso", "scope": "openid fhirUser online_access"}
        answer = await agree(browser, **asked)
        content = (await redeem(browser, query_of(answer)["code"], client_id="sso")).json()
        assert content["scope"] == "fhirUser online_access openid"
        assert claims_of(content["id_token"])["fhirUser"].startswith(f"{FHIR}/Practitioner/")
        token = {"authorization": f"Bearer {content['access_token']}"}
        assert (await browser.get("/oauth/userinfo", headers=token)).json()["fhirUser"]
        caller = await sign_in_only.house.authenticator.caller(token["authorization"])
        read = await sign_in_only.house.engine.handle(
            caller, Request("GET", f"Patient/{sign_in_only.patient}", "", b"")
        )
        assert read.status == 403  # it reads nothing

        form = {"grant_type": "refresh_token", "client_id": "sso", "refresh_token": content["refresh_token"]}
        again = (await browser.post("/oauth/token", data={**form, "scope": "openid fhirUser"})).json()
        assert again["scope"] == "fhirUser openid"

        refused = await agree(browser, **asked, without=("identity",))
        assert refused.status_code == 422
        assert 'href="#identite"' in refused.text


async def test_what_is_registered_without_openid_still_asks_for_something(sign_in_only: Place) -> None:
    async with sign_in_only.house.database.writing.acquire() as connection:
        for kind, scope in (("app", "fhirUser launch/patient"), ("backend", "openid")):
            with pytest.raises(clients.ClientProblem, match="scope"):
                await clients.add(
                    connection, client_id="less", kind=kind, name="Less", scope=scope,
                    redirect_uris=[REDIRECT] if kind == "app" else [],
                )  # fmt: skip
