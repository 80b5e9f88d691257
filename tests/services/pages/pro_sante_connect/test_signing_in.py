"""In through Pro Santé Connect: who gets in, in which role, and everything that is no proof."""

import re
import time
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.people import accounts
from liaison.auth.people.pro_sante_connect import id_token
from liaison.auth.people.pro_sante_connect.provider import AGAIN
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import URL, Place, field
from .conftest import NUMBERS, inscribe, there, through
from .provider import CLIENT, DOCTOR, NURSE, Psc

SESSION = "__Host-liaison"


async def refused(place: Place, psc: Psc) -> bool:
    """Whether the way back ends without any session, and reads like every other refusal."""
    async with place.browser() as browser:
        answer = await through(browser)
        assert answer.status_code in (303, 403), answer.text
        if answer.status_code == 403:
            assert "n’a pas confirmé votre identité" in answer.text
            assert SESSION not in browser.cookies
        return answer.status_code == 403


@pytest.mark.parametrize("pushes", [True, False])
async def test_a_nurse_of_the_directory_is_in_with_her_role_and_comes_to_the_page_she_wanted(
    place: Place, psc: Psc, pushes: bool
) -> None:
    psc.pushes = pushes
    async with place.browser() as browser:
        page = await browser.get("/connexion")
        assert f"form-action 'self' {psc.url}" in page.headers["content-security-policy"]
        answer = await through(browser)
        assert answer.headers["location"] == "/mes-connexions", answer.text
        shown = await browser.get("/mes-connexions")

    assert "Camille NURSE" in shown.text  # the directory's name, not the provider's
    assert "Infirmier, Maison de santé de Kervanec" in shown.text
    asked = psc.asked[0]
    assert asked["scope"] == "openid scope_all"
    assert asked["acr_values"] == "eidas1 eidas2"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{URL}/psc/retour"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert await place.house.database.reading.fetchval("select factors from browser_session") == 2


async def test_nothing_secret_of_the_way_there_is_in_the_database(place: Place, psc: Psc) -> None:
    async with place.browser() as browser:
        back = await there(browser)
        kept = str([dict(row) for row in await place.house.database.reading.fetch("select * from ceremony")])
        for secret in (psc.asked[0]["state"], psc.asked[0]["nonce"], browser.cookies["__Host-liaison-challenge"]):
            assert secret not in kept
        await browser.get(back)
        row = await place.house.database.reading.fetchrow("select * from browser_session")
    assert b"eyJ" not in row["provider_token"]  # sealed
    assert psc.sid not in str(dict(row))


@pytest.mark.parametrize(
    "claims",
    [
        {"acr": None},  # a published fault: absent at times, and taken for eidas1 elsewhere
        {"acr": "eidas0"},
        {"acr": ["eidas1"]},
        {"nonce": None},
        {"nonce": "another"},
        {"iss": "https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet"},
        {"aud": "another-service"},
        {"aud": [CLIENT, "another-service"]},  # azp is us; the other is none that we trust (Core §3.1.3.7, 3)
        {"aud": [CLIENT, "another-service"], "azp": None},
        {"aud": [CLIENT, "another-service"], "azp": "another-service"},
        {"azp": "another-service"},
        {"exp": int(time.time()) - 3600},
        {"exp": "soon"},
        {"iat": int(time.time()) + 36000},
        {"auth_time": int(time.time()) - 5 * 3600},
        {"auth_time": int(time.time()) + 36000},
        {"sub": None},
        {"sub": "another"},  # userinfo is of someone else
    ],
    ids=lambda claims: "-".join(f"{name}" for name in claims),
)
async def test_a_token_that_proves_less_is_a_refusal(place: Place, psc: Psc, claims: dict[str, Any]) -> None:
    psc.claims = claims
    assert await refused(place, psc)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["liaison"], "liaison": "1"},  # CVE-2025-59420: what nobody knows was ignored
        {"crit": ["exp"]},
        {"kid": None},
        {"kid": "unknown"},
        {"alg": "none"},
        {"typ": "at+jwt"},
    ],
    ids=lambda header: "+".join(f"{name}-{value}" for name, value in header.items()),
)
async def test_a_header_that_asks_for_more_is_a_refusal(place: Place, psc: Psc, header: dict[str, Any]) -> None:
    psc.header = header
    assert await refused(place, psc)


async def test_the_algorithm_is_ours_and_never_the_headers(place: Place, psc: Psc) -> None:
    psc.symmetric = True  # HS256 under the client's secret, which the other side knows too
    assert await refused(place, psc)


async def test_a_missing_acr_would_do_if_it_were_not_asked_for(
    place: Place, psc: Psc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault planted: ANS's own connector takes a missing acr for eidas1."""
    psc.claims = {"acr": None}
    read = orjson.loads

    def careless(text: Any) -> Any:
        found = read(text)
        return {"acr": "eidas1", **found} if isinstance(found, dict) and "nonce" in found else found

    class Careless:
        loads = staticmethod(careless)

    monkeypatch.setattr(id_token, "orjson", Careless)
    assert not await refused(place, psc)


@pytest.mark.parametrize(("skew", "in_"), [(45, True), (-45, True), (-150, True), (600, False), (-600, False)])
async def test_clocks_may_differ_a_little(place: Place, psc: Psc, skew: float, in_: bool) -> None:
    psc.skew = skew
    assert await refused(place, psc) != in_


async def test_keys_may_change_in_mid_flight(place: Place, psc: Psc) -> None:
    provider = place.house.pro_sante_connect
    assert provider is not None
    assert not await refused(place, psc)
    psc.signing, psc.published = 1, (0, 1)  # a new key, of which we have not heard
    provider._read_at -= AGAIN + 1
    assert not await refused(place, psc)
    read = psc.read_keys

    psc.signing = 2  # a key that is published nowhere: asked for once, however often it comes
    provider._read_at -= AGAIN + 1
    for _ in range(3):
        assert await refused(place, psc)
    assert psc.read_keys == read + 1

    psc.signing, psc.published = 1, (1,)  # and one that was taken away is dead when the keys are next read
    provider._read_at = float("-inf")
    assert not await refused(place, psc)
    psc.signing = 0
    assert await refused(place, psc)


async def test_a_configuration_of_another_issuer_is_not_followed(place: Place, psc: Psc) -> None:
    psc.issuer_said = "https://evil.example/auth/realms/esante-wallet"
    async with place.browser() as browser:
        page = await browser.get("/connexion")
        assert psc.url not in page.headers["content-security-policy"]
        left = await browser.post("/psc/connexion", data={"csrf": field(page.text, "csrf"), "suite": "/"})
    assert left.status_code == 503
    assert "ne répond pas" in left.text


async def test_what_was_begun_in_one_browser_ends_in_no_other(place: Place, psc: Psc) -> None:
    async with place.browser() as browser, place.browser() as other:
        back = await there(browser)
        assert (await other.get(back)).status_code == 403  # without any cookie of a beginning
        await there(other)
        assert (await other.get(back)).status_code == 403  # with its own
        changed = re.sub(r"state=[^&]*", "state=x", back)
        assert (await browser.get(changed)).status_code == 403
        assert (await browser.get(back)).status_code == 403  # it is spent by the first answer, whatever that was
        again = await there(browser)
        assert (await browser.get(again)).status_code == 303
        assert (await browser.get(again)).status_code == 403  # and once only


@pytest.mark.parametrize("more", ["&state=x", "&code=x", "&error=access_denied", "&iss=https://evil.example"])
async def test_an_answer_with_more_in_it_is_no_answer(place: Place, psc: Psc, more: str) -> None:
    async with place.browser() as browser:
        assert (await browser.get(await there(browser) + more)).status_code == 403


async def test_someone_the_directory_does_not_know_is_told_so_and_gets_nothing(place: Place, psc: Psc) -> None:
    psc.national_id = "899799999999"
    before = await place.house.database.reading.fetchval("select count(*) from account")
    async with place.browser() as browser:
        answer = await through(browser)
        assert answer.status_code == 403
        assert "ne vous connaît pas" in answer.text
        assert SESSION not in browser.cookies
    assert await place.house.database.reading.fetchval("select count(*) from account") == before


async def test_a_number_that_two_have_or_that_has_ended_opens_nothing(place: Place, psc: Psc) -> None:
    await inscribe(place, "none", NUMBERS["nurse"])
    async with place.browser() as browser:
        assert (await through(browser)).status_code == 403
    await inscribe(place, "none", "99700000033")
    await inscribe(place, "nurse", NUMBERS["nurse"], active=False)
    async with place.browser() as browser:
        assert (await through(browser)).status_code == 403


async def test_a_suspended_account_does_not_come_in_by_the_other_door(place: Place, psc: Psc) -> None:
    async with place.house.database.writing.acquire() as connection:
        await accounts.suspend(connection, "nurse")
    async with place.browser() as browser:
        assert "suspendu" in (await through(browser)).text


async def test_several_exercices_are_a_choice_among_what_the_directory_gives(place: Place, psc: Psc) -> None:
    psc.national_id, psc.exercices = f"8{NUMBERS['both']}", [NURSE, DOCTOR]
    async with place.browser() as browser:
        answer = await through(browser)
        assert answer.headers["location"].startswith("/role?suite=")
        page = await browser.get(answer.headers["location"])
        # Both of hers; and no doctor's role, whatever the token says of her.
        choices = page.text.partition("Ce que dit")[0]
        assert "Infirmier" in choices
        assert "Coordinateur" in choices
        assert "Médecin" not in choices


async def test_a_profession_without_an_exercice_behind_it_is_not_offered(place: Place, psc: Psc) -> None:
    """Struck off yesterday; the directory does not know yet. What is no profession stays the directory's."""
    psc.national_id, psc.exercices = f"8{NUMBERS['both']}", []
    async with place.browser() as browser:
        assert (await through(browser)).headers["location"] == "/mes-connexions"
        assert "Coordinateur" in (await browser.get("/mes-connexions")).text
        page = await browser.get("/role")
        assert "Infirmier" not in page.text.partition("Ce que dit")[0]  # as a choice
        made_up = await browser.post("/role", data={"csrf": field(page.text, "csrf"), "role": "1.nurse"})
        assert made_up.status_code == 422


async def test_an_exercice_that_opens_nothing_here_is_shown_with_its_reason(place: Place, psc: Psc) -> None:
    """Matched by FINESS, whatever the structure is called there; a role that no exercice stands behind is shown too."""
    house = place.house
    maker = await internal.open_session(house.database.writing, "sandbox")
    read = await house.engine.handle(maker, Request("GET", "Organization", "name=Maison"))
    (tree,) = [one["resource"] for one in orjson.loads(read.body)["entry"]]
    tree["identifier"] = [{"system": "https://finess.esante.gouv.fr", "value": "290000017"}]
    written = await house.engine.handle(maker, Request("PUT", f"Organization/{tree['id']}", "", orjson.dumps(tree)))
    assert written.status == 200, written.body

    def at(profession: str, finess: str, name: str) -> dict[str, Any]:
        return {"codeProfession": profession, "activities": [{"numeroFinessSite": finess, "raisonSocialeSite": name}]}

    psc.exercices = [
        at("60", "290000017", "AUTRE NOM"),
        at("60", "290000025", "CLINIQUE D'AILLEURS"),
        at("10", "290000017", "AUTRE NOM"),
        at("99", "290000017", "AUTRE NOM"),
    ]
    async with place.browser() as browser:
        assert (await through(browser)).headers["location"] == "/mes-connexions"  # one role: no choice to make
        assert 'href="/role"' in (await browser.get("/mes-connexions")).text
        page = unescape(re.sub(r"\s+", " ", (await browser.get("/role")).text))
    said = re.findall(r"<strong>([^<]+)</strong>(.*?)</li>", page.partition("Ce que dit Pro Santé Connect")[2])
    nothing = ["Pas de rôle ici" in rest for _, rest in said]
    assert [(who, no) for (who, _), no in zip(said, nothing, strict=True)] == [
        ("Infirmier, AUTRE NOM", False),
        ("Infirmier, CLINIQUE D'AILLEURS", True),
        ("Médecin généraliste, AUTRE NOM", True),
        ("Profession 99, AUTRE NOM", True),
    ]
    for rest, words in zip(
        [rest for _, rest in said], ("vous y donne un rôle", "n’est pas dans", "n", "pas de rôle ici"), strict=True
    ):
        assert words in rest
    kept = await house.database.reading.fetchval("select exercices from browser_session")
    assert b"AILLEURS" not in kept  # sealed

    psc.exercices, psc.national_id = [], f"8{NUMBERS['both']}"
    async with place.browser() as browser:
        await through(browser)
        page = (await browser.get("/role")).text
        assert "n’annonce aucun exercice de cette profession" in page
        assert "Infirmier, Maison de santé de Kervanec" in page


async def test_the_four_hours_begin_with_the_sign_in_there_and_so_does_what_is_recent(place: Place, psc: Psc) -> None:
    psc.signed_in_at = time.time() - 3 * 3600
    async with place.browser() as browser:
        await through(browser)
        left = await place.house.database.reading.fetchval(
            "select expires_at < now() + interval '61 minutes' from browser_session"
        )
        assert left
        sent = await browser.get("/ma-securite")
        assert sent.headers["location"] == "/confirmer?suite=%2Fma-securite"
        page = await browser.get(sent.headers["location"])
        assert 'name="secret"' not in page.text

        answer = await through(browser, "/ma-securite", encore="1")
        assert psc.asked[-1]["prompt"] == "login"
        assert answer.headers["location"] == "/ma-securite"
        assert "second facteur" in (await browser.get("/ma-securite")).text


async def test_no_way_in_of_ones_own_goes_round_the_exercices(place: Place, psc: Psc) -> None:
    async with place.browser() as browser:
        await through(browser)
        csrf = field((await browser.get("/mes-connexions")).text, "csrf")
        for path in ("/ma-securite/code/preparer", "/ma-securite/cle/defi"):
            assert (await browser.post(path, data={"csrf": csrf})).status_code == 404


async def test_the_way_there_carries_no_page_of_ours(place: Place, psc: Psc) -> None:
    async with place.browser() as browser:
        await there(browser, "/dossiers%3Fq%3DLEGOFF")
    assert all("LEGOFF" not in value for asked in psc.asked for value in asked.values())
    assert not parse_qs(urlsplit(psc.asked[0]["redirect_uri"]).query)


async def stands_in(place: Place, reference: str) -> None:
    """Makes this person the nurse's substitute."""
    house = place.house
    maker = await internal.open_session(house.database.writing, "sandbox")
    replaced = await house.database.reading.fetchval("select role from held_role where role_code = 'nurse' limit 1")
    answers = house.store.reference(Key(0, kind_of("PractitionerRole"), replaced))
    tree = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": reference},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "substitute"}]}],
        "extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": answers}}],
        "period": {"start": "2020-01-01", "end": "2099-01-01"},
    }
    written = await house.engine.handle(maker, Request("POST", "PractitionerRole", "", orjson.dumps(tree)))
    assert written.status == 201, written.body


@pytest.mark.parametrize(
    ("exercice", "opens"), [(NURSE, True), (DOCTOR, False), (None, False)], ids=["hers", "another", "none"]
)
async def test_a_substitute_s_profession_is_known_once_the_provider_has_said_it(
    place: Place, psc: Psc, exercice: dict[str, Any] | None, opens: bool
) -> None:
    number = "99700000033"
    reference = await inscribe(place, "none", number)
    await stands_in(place, reference)
    psc.national_id, psc.exercices = f"8{number}", [exercice] if exercice else []

    async with place.browser() as browser:
        await through(browser)
        page = await browser.get("/mes-connexions")

    assert ("Infirmier remplaçant" in page.text) == opens
    assert (
        await place.house.database.reading.fetchval("select active from held_role where role_code = 'substitute'")
        == opens
    )
