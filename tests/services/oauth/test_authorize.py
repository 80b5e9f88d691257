"""/oauth/authorize and the consent page, as a browser meets them."""

import re
from urllib.parse import urlencode

from liaison.auth.oauth2 import clients
from liaison.fhir.store.contract import Request

from .conftest import REDIRECT, URL, Place, agree, asking, field, query_of, redeem, sign_in


async def test_a_person_who_is_not_signed_in_signs_in_first_and_comes_back(place: Place) -> None:
    async with place.browser() as browser:
        sent = await browser.get("/oauth/authorize", params=asking())
        assert sent.status_code == 303
        assert sent.headers["location"].startswith("/connexion?suite=")

        back = await sign_in(browser, "nurse", path=sent.headers["location"])

        assert back.headers["location"].startswith("/oauth/authorize?")
        page = await browser.get(back.headers["location"])
        assert page.status_code == 200
        assert "Autoriser Cabinet+ ?" in page.text


async def test_the_consent_page_names_software_data_and_duration_in_plain_words(place: Place) -> None:
    async with place.signed_in() as browser:
        page = await browser.get(
            "/oauth/authorize",
            params=asking(scope="offline_access openid user/Observation.rs?category=vital-signs user/Task.cud"),
        )

    for words in (
        "Autoriser Cabinet+ ?",
        "Mesures et résultats (seulement les constantes)",
        "Tâches et étapes du plan",
        "ajouter, modifier, effacer",
        "même quand vous n’êtes pas là",
        "Vous serez ensuite renvoyé vers app.example.",
        "Camille NURSE",
    ):
        assert words in page.text, words
    assert "cruds" not in page.text.partition('name="request"')[0]


async def test_agreeing_sends_a_code_with_state_and_issuer(place: Place) -> None:
    async with place.signed_in() as browser:
        answer = await agree(browser)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    assert query_of(answer) == {"code": query_of(answer)["code"], "state": "state 1", "iss": URL}
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_refusing_sends_access_denied_and_no_code(place: Place) -> None:
    async with place.signed_in() as browser:
        answer = await agree(browser, decision="refuse")

    assert query_of(answer)["error"] == "access_denied"
    assert "code" not in query_of(answer)
    assert query_of(answer)["iss"] == URL


async def test_the_request_may_be_posted(place: Place) -> None:
    async with place.signed_in() as browser:
        page = await browser.post("/oauth/authorize", data=asking(), headers={"sec-fetch-site": "cross-site"})

    assert page.status_code == 200
    assert "Autoriser Cabinet+ ?" in page.text


async def test_nothing_is_ever_sent_to_an_unregistered_address(place: Place) -> None:
    async with place.signed_in() as browser:
        for changes in (
            {"client_id": "unknown"},
            {"redirect_uri": "https://evil.example/"},
            {"redirect_uri": None},
            {"client_id": None},
        ):
            answer = await browser.get("/oauth/authorize", params=asking(**changes))

            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert 'href="https://evil.example' not in answer.text
            assert "Ce logiciel ne peut pas être relié" in answer.text


async def test_other_errors_go_back_with_state_and_issuer(place: Place) -> None:
    async with place.browser() as browser:
        for wrong in (asking(code_challenge_method="plain"), [*asking().items(), ("scope", "openid")]):
            answer = await browser.get("/oauth/authorize", params=urlencode(wrong))

            assert answer.status_code == 303
            sent = query_of(answer)
            assert (sent["error"], sent["state"], sent["iss"]) == ("invalid_request", "state 1", URL)
            assert answer.headers["location"].startswith(REDIRECT)


async def test_prompt_none_never_asks(place: Place) -> None:
    async with place.browser() as browser:
        nobody = await browser.get("/oauth/authorize", params=asking(prompt="none"))
        await sign_in(browser, "nurse")
        somebody = await browser.get("/oauth/authorize", params=asking(prompt="none"))

    assert query_of(nobody)["error"] == "login_required"
    assert query_of(somebody)["error"] == "consent_required"


async def test_a_forged_consent_is_refused(place: Place) -> None:
    async with place.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking())
        form = {"request": field(page.text, "request"), "decision": "accept"}

        for more, headers in (
            ({}, {}),
            ({"csrf": "x"}, {}),
            ({"csrf": field(page.text, "csrf")}, {"sec-fetch-site": "cross-site"}),
        ):
            answer = await browser.post("/oauth/consent", data={**form, **more}, headers=headers)
            assert answer.status_code == 403
            assert "location" not in answer.headers


async def test_the_answered_request_is_checked_again(place: Place) -> None:
    """What the browser brings back is not believed: the hidden field may have been changed."""
    async with place.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking())
        csrf = field(page.text, "csrf")

        for changes in ({"redirect_uri": "https://evil.example/"}, {"client_id": "other"}):
            forged = urlencode(asking(**changes))
            answer = await browser.post("/oauth/consent", data={"csrf": csrf, "request": forged, "decision": "accept"})
            assert answer.status_code == 400
            assert "location" not in answer.headers


async def test_the_consent_page_may_send_on_to_this_software_alone(place: Place) -> None:
    async with place.signed_in() as browser:
        consent = await browser.get("/oauth/authorize", params=asking())
        other = await browser.get("/mes-connexions")

    assert "form-action 'self' https://app.example;" in consent.headers["content-security-policy"]
    assert "form-action 'self';" in other.headers["content-security-policy"]


async def test_a_suspended_client_cannot_ask(place: Place) -> None:
    async with place.signed_in() as browser:
        async with place.house.database.writing.acquire() as connection:
            await clients.suspend(connection, "app")

        assert (await browser.get("/oauth/authorize", params=asking())).status_code == 400


async def test_a_patients_app_sees_that_patient_alone(place: Place) -> None:
    async with place.signed_in("patient") as browser:
        answer = await agree(browser, scope="launch/patient patient/*.rs")
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert content["patient"] == place.patient
    caller = await place.house.authenticator.caller(f"Bearer {content['access_token']}")
    assert caller.only_patient == place.house.store.key("Patient", place.patient).patient  # type: ignore[union-attr]  # it exists
    for id_, status in ((place.patient, 200), (place.other_patient, 404)):
        answered = await place.house.engine.handle(caller, Request("GET", f"Patient/{id_}"))
        assert answered.status == status


async def test_a_professional_picks_among_the_patients_they_see(place: Place) -> None:
    async with place.signed_in() as browser:
        page = await browser.get("/oauth/authorize", params=asking(scope="patient/Observation.rs patient/Patient.rs"))
        assert "LE GOFF" in page.text
        assert place.patient in page.text
        assert place.other_patient not in page.text

        refused = await agree(browser, scope="patient/Observation.rs", patient=place.other_patient)
        assert refused.status_code == 422
        assert "location" not in refused.headers
        # The page of choice, forged: whom they do not see and nobody at all are one refusal.
        form = {name: field(page.text, name) for name in ("csrf", "request")} | {"decision": "choose"}
        told = set()
        for forged in (place.other_patient, "0" * 32, "../Patient"):
            shown = await browser.post("/oauth/consent", data={**form, "patient": forged})
            assert shown.status_code == 422, forged
            told.add(re.sub(r'value="[^"]*"', "", shown.text))
        assert len(told) == 1
        assert "Choisissez la personne concernée." in told.pop()

        answer = await agree(browser, scope="patient/Observation.rs patient/Patient.rs")
        content = (await redeem(browser, query_of(answer)["code"])).json()

    assert content["patient"] == place.patient


async def test_someone_without_a_patient_cannot_grant_a_patient_scope(place: Place) -> None:
    async with place.signed_in("both") as browser:
        page = await browser.get("/role")
        value = page.text.partition('name="role" type="radio" value="')[2].partition('"')[0]
        await browser.post("/role", data={"csrf": field(page.text, "csrf"), "role": value, "suite": "/"})

        answer = await browser.get("/oauth/authorize", params=asking(scope="patient/Observation.rs"))

    assert query_of(answer)["error"] == "access_denied"
