"""The telephone's page as the service gives it: nobody's data, its files listed with their digests, small, and built from what
stands beside it."""

import gzip
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from liaison.protocols.forms import arranged
from liaison.services import pages
from liaison.services.pages.home_care import telephone_page
from liaison.services.pages.layout import STATIC

from ..oauth.conftest import Place

APP = Path(pages.__file__).parent / "telephone_app"
BUILT = STATIC / "telephone"
FIRST_LOAD = 150 * 1024


def files(script: str) -> list[dict[str, str]]:
    listed = re.match(r"self\.LIAISON_FILES = (\[.*?\]);\n", script)
    assert listed
    found: list[dict[str, str]] = json.loads(listed[1])
    return found


async def test_the_page_is_the_same_whoever_asks_for_it(place: Place) -> None:
    async with place.signed_in("nurse") as browser:
        signed_in = (await browser.get("/telephone")).text
        browser.cookies.clear()
        assert (await browser.get("/telephone")).text == signed_in
        english = (await browser.get("/telephone?lang=en")).text
    assert "csrf" not in signed_in
    assert 'lang="en"' in english
    assert "{count} visits to send" in english


async def test_the_service_worker_lists_what_the_page_is_made_of_and_a_change_of_any_is_a_new_version(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.signed_in("nurse") as browser:
        answer = await browser.get("/telephone/service-worker.js")
        page = (await browser.get("/telephone")).text
        assert answer.headers["service-worker-allowed"] == "/telephone"
        listed = {one["url"]: one["revision"] for one in files(answer.text)}
        for url in listed:
            assert (await browser.get(url)).status_code == 200, url
        assert set(re.findall(r'(?:href|src)="(/[^"#]*)"', page)) - {"/aujourdhui"} <= set(listed)
        monkeypatch.setattr(telephone_page, "arranged", lambda form: replace(arranged(form), others=()))
        assert answer.text != (await browser.get("/telephone/service-worker.js")).text


async def test_the_first_load_is_small(place: Place) -> None:
    async with place.signed_in("nurse") as browser:
        script = (await browser.get("/telephone/service-worker.js")).text
        parts = {one["url"]: (await browser.get(one["url"])).content for one in files(script)}
    sizes = {url: len(gzip.compress(content)) for url, content in {**parts, "worker": script.encode()}.items()}
    print(sizes)
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_what_was_built_is_what_was_committed() -> None:
    for line in (BUILT / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((BUILT / name).read_bytes()).hexdigest() == digest, name


def test_building_it_again_gives_the_same_bytes(tmp_path: Path) -> None:
    if not (APP / "node_modules/.bin/esbuild").exists():
        pytest.skip("esbuild is not installed: deploy/setup.sh test says why")
    subprocess.run([APP / "build.sh", tmp_path], check=True, timeout=120)

    for built in BUILT.iterdir():
        assert (tmp_path / built.name).read_bytes() == built.read_bytes(), f"run {APP.name}/build.sh"
