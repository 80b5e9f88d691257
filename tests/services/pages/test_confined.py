"""Every page there is: confined by its headers, kept by nobody, and asking for it changes nothing."""

import re
from urllib.parse import urlencode

import httpx
import pytest
from starlette.routing import Route

from liaison.fhir.store.schema import metadata
from liaison.services.pages import static_files
from liaison.services.pages.layout import content_security_policy
from liaison.services.pages.nowhere import around_pages
from liaison.services.pages.routes import routes

from ..oauth.conftest import Place, asking, field

PAGES = sorted(
    {
        re.sub(r"\{[^}]*\}", "x", one.path)
        for one in routes()
        if isinstance(one, Route) and "GET" in (one.methods or ()) and one.endpoint is not static_files.serve
    }
)
OF_NOBODY = {"/editeurs/x", "/exemple", "/premier-acces/x", "/premier-code", "/psc/retour", "/telephone",
             "/territoire", "/territoire/autorite", "/territoire/histoire", "/territoire/x"}  # fmt: skip
"""Pages of those who are not signed in: vendors, newcomers, visitors of a sandbox, a telephone without a network."""
KEPT = ["account", "browser_session", "passkey", "totp", "phone", "first_access", "first_code", "recovery", "ceremony",
        "held_role", "relation", "access_grant", "version", "directory_version", "client"]  # fmt: skip
BY_THE_MINUTE = {"seen_at"}
"""That a session is used is written down; nothing is decided by a page that is shown."""


async def state(place: Place) -> dict[str, str]:
    found = {}
    for table in KEPT:
        columns = [one.name for one in metadata.tables[table].columns if one.name not in BY_THE_MINUTE]
        found[table] = await place.house.database.reading.fetchval(
            f"select md5(coalesce(string_agg(row::text, '|' order by row::text), '')) from"
            f" (select {', '.join(columns)} from {table}) as row"
        )
    return found


def test_there_are_pages() -> None:
    assert len(PAGES) > 30


async def test_every_page_is_confined_and_none_changes_anything(place: Place) -> None:
    place.app.state.sandbox = False
    async with place.signed_in() as browser:
        before = await state(place)
        for path in PAGES:
            answer = await browser.get(path)
            assert answer.status_code < 500, (path, answer.status_code)
            said = answer.headers
            assert said["cache-control"] == "no-store", path
            if path.startswith("/psc/deconnexion"):
                continue  # for the provider's frame; not configured here
            policy = said["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert said["x-frame-options"] == "DENY", path
            assert said["x-content-type-options"] == "nosniff", path
            assert said["referrer-policy"] == "no-referrer", path
            if "text/html" in said.get("content-type", ""):
                assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", answer.text), path
        assert await state(place) == before


async def test_who_holds_two_roles_reads_on_every_page_in_which_they_work_and_how_to_change(place: Place) -> None:
    """Also on what is refused: what is refused depends on the role."""
    place.app.state.sandbox = False
    around_pages(place.app)
    async with place.signed_in("both") as browser:
        for code, called in (("nurse", "Infirmier"), ("coordinator", "Coordinateur de parcours")):
            await choose(browser, code)
            silent = []
            asked = f"/oauth/authorize?{urlencode(asking())}"
            for path in (
                *(one for one in PAGES if one not in OF_NOBODY),
                f"/dossiers/{place.patient}",
                "/nulle-part",
                asked,
            ):
                page = await browser.get(path)
                if "text/html" in page.headers.get("content-type", "") and page.content:
                    who = re.search(r'liaison-header__who"><strong>([^<]*)</strong>([^<]*)<', page.text)
                    if who is None or called not in who[2] or 'href="/role">Changer de rôle<' not in page.text:
                        silent.append(path)
            assert silent == [], code


async def choose(browser: httpx.AsyncClient, code: str) -> None:
    page = (await browser.get("/role")).text
    role = next(
        value for value in re.findall(r'name="role" type="radio" value="([^"]*)"', page) if value.endswith(f".{code}")
    )
    assert (
        await browser.post("/role", data={"csrf": field(page, "csrf"), "role": role, "suite": "/"})
    ).status_code == 303


@pytest.mark.parametrize("table", ["account", "browser_session"])
async def test_a_page_that_did_change_something_would_be_seen(place: Place, table: str) -> None:
    before = await state(place)
    await place.house.database.writing.execute(
        "update account set failures = failures + 1" if table == "account" else
        "insert into browser_session (token, account, csrf, expires_at) values ('t', 1, 'c', now())"
    )  # fmt: skip
    assert (await state(place))[table] != before[table]


def test_the_policy_has_no_hole() -> None:
    assert "unsafe" not in content_security_policy(["https://a.example"])
    assert "*" not in content_security_policy(["https://a.example"])
