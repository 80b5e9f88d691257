"""Le journal est-il intact ? The verdict first, for a short journal and for a long one; proofs that the command checks."""

import base64
import html
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.journal import verdicts
from liaison.auth.journal.integrator import Integrator
from liaison.fhir.store.database import connection
from liaison.services.custody import outside
from liaison.services.custody.checks import BROKEN, OK, journal_verified
from liaison.services.jobs import verifying
from liaison.services.pages.audit import integrity

from ...console import typed
from ...oauth.conftest import Place, field

WHOLE = "Oui. Rien n'a été retiré, ajouté ni changé."
AT_FIRST_SIGHT = "Rien d'anormal à première vue."


async def integrate(place: Place) -> None:
    one = await connection(place.house.database.url)
    try:
        passes = Integrator(place.house.journal_keys, kept(place))
        await passes.take(one)
        await passes.integrate(one)
    finally:
        await one.close()


def kept(place: Place) -> Path:
    return place.house.settings.outside_folder / outside.CHECKPOINT


@pytest.fixture
async def auditor(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in() as browser:
        await place.house.database.writing.execute(
            "update access_session set role_code = 'dpo', purpose = $1", int(Purpose.HOPERAT)
        )
        await integrate(place)
        yield browser


async def shown(browser: httpx.AsyncClient, path: str = "/journal/integrite", status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


async def verified(place: Place) -> None:
    one = await connection(place.house.database.url)
    try:
        house = place.house
        await verifying.once(one, house.vault, house.journal_keys, house.settings.outside_folder)
    finally:
        await one.close()


async def test_a_short_journal_is_read_whole_at_once(place: Place, auditor: httpx.AsyncClient) -> None:
    page = await shown(auditor)
    assert WHOLE in page
    assert "toutes, à l'instant" in page
    size, root = await place.house.database.reading.fetchrow(
        "select size, split_part(note, E'\\n', 3) from journal_checkpoint order by size desc limit 1"
    )
    assert f"{size} lignes : elle est bien dans le journal" in page
    assert page.index(WHOLE) < page.index(base64.b64decode(root).hex())


async def test_a_line_that_was_changed_is_named(place: Place, auditor: httpx.AsyncClient) -> None:
    await place.house.database.writing.execute("update journal_entry set outcome = 4 where event = 20")
    page = await shown(auditor)
    assert "Non. Le journal a été modifié." in page
    assert re.search(r"Ligne \d+ du journal : elle a été changée, ou ce service ne l'a pas écrite", html.unescape(page))
    assert WHOLE not in page


async def test_a_long_journal_shows_the_last_complete_verdict_and_reads_all_when_asked(
    place: Place, auditor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "AT_ONCE", 0)
    page = await shown(auditor)
    assert AT_FIRST_SIGHT in page
    assert "en cours" in page
    await verified(place)
    page = await shown(auditor)
    assert WHOLE in page
    assert "en cours" not in page
    await integrate(place)  # what was written since was not read one by one
    [read, since] = re.findall(r"les (\d+) premières lignes, .* Des (\d+) lignes", await shown(auditor), re.DOTALL)[0]
    assert int(read) + int(since) == await place.house.database.reading.fetchval("select size from journal_head")

    sent = await auditor.post("/journal/integrite", data={"csrf": field(page, "csrf")})
    assert sent.status_code == 303
    assert "en cours" in await shown(auditor)
    await place.house.database.writing.execute("update journal_entry set outcome = 4 where event = 20")
    await verified(place)
    assert "Non. Le journal a été modifié." in await shown(auditor)
    async with place.house.database.writing.acquire() as one:
        assert (await journal_verified(one, place.house.vault)).level == BROKEN

    await place.house.database.writing.execute("update journal_entry set outcome = 0 where event = 20")
    await verified(place)
    assert WHOLE in await shown(auditor)
    async with place.house.database.writing.acquire() as one:
        assert (await journal_verified(one, place.house.vault)).level == OK


async def test_in_a_sandbox_the_command_names_its_folder(place: Place, auditor: httpx.AsyncClient) -> None:
    assert "--data" not in await shown(auditor)
    place.app.state.notice = "Données fictives"

    assert str(place.house.settings.data.absolute()) in await shown(auditor)


async def test_a_verdict_written_by_somebody_else_is_no_verdict(
    place: Place, auditor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "AT_ONCE", 0)
    await verified(place)
    await place.house.database.writing.execute("update journal_verdict set made_at = made_at + interval '1 day'")
    assert (await verdicts.latest(place.house.database.reading, place.house.vault)).told is None
    assert AT_FIRST_SIGHT in await shown(auditor)


async def test_of_a_verdict_over_nothing_the_page_does_not_say_that_the_journal_is_whole(
    place: Place, auditor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "AT_ONCE", 0)
    async with place.house.database.writing.acquire() as one:
        await verdicts.keep(one, place.house.vault, verdicts.Told(0, "", "", "", 0.1), await place.house.database.now())

    page = await shown(auditor)

    assert WHOLE not in page
    assert AT_FIRST_SIGHT in page


@pytest.mark.parametrize(
    "fault",
    [
        "delete from journal_checkpoint",
        "update journal_checkpoint set note = replace(note, E'\\n—', E'x\\n—')",
        "update journal_head set size = 1",
        "delete from journal_tile",
        "update journal_tile set hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1)",
    ],
    ids=["no checkpoint", "a note altered", "cut back", "no tiles", "a tile altered"],
)
async def test_what_is_wrong_at_first_sight_is_said_of_a_long_journal_too(
    place: Place, auditor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    await verified(place)
    monkeypatch.setattr(integrity, "AT_ONCE", 0)
    await place.house.database.writing.execute(fault)
    assert "Non. Le journal a été modifié." in await shown(auditor)


async def test_a_checkpoint_kept_outside_that_is_another_journals_is_seen(
    place: Place, auditor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "AT_ONCE", 0)
    kept(place).write_text(place.house.journal_keys.signer.checkpoint(1, bytes(32)))
    assert "Empreinte signée à la ligne 1" in await shown(auditor)


async def test_the_proof_of_a_line_is_downloaded_and_checked_by_the_command_that_is_shown(
    place: Place, auditor: httpx.AsyncClient, tmp_path: Path
) -> None:
    await shown(auditor)  # an entry whose actor belongs to the auditor's organisation: their own
    await integrate(place)
    query = (
        "select p.position from journal_entry e join journal_position p using (worker, sequence)"
        " where e.event = 50 order by p.position desc limit 1"
    )
    position = await place.house.database.reading.fetchval(query)
    answer = await auditor.get("/journal/preuve", params={"ligne": str(position)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="ligne-{position}.tlog-proof"'
    (tmp_path / "line").write_text(answer.text)
    (tmp_path / "key").write_text((await auditor.get("/journal/cle-publique")).text)
    (tmp_path / "point").write_text((await auditor.get("/journal/point-signe")).text)
    words = ("journal", "verify", "--proof", str(tmp_path / "line"), "--key", str(tmp_path / "key"))
    said = typed(os.environ, *words)
    assert said.returncode == 0, said.stderr
    (id_,) = re.findall(r"AuditEvent/(\S+) is entry", said.stdout)
    assert (await auditor.get("/journal/preuve", params={"ligne": f"AuditEvent/{id_}"})).text == answer.text
    assert place.house.journal_keys.signer.verifier.open((tmp_path / "point").read_text()).size > position


@pytest.mark.parametrize(
    ("given", "status"), [("", 400), ("zéro", 400), ("999999", 404), ("9" * 30, 400), ("0", 404)], ids=str
)
async def test_a_line_that_cannot_be_proved_to_this_reader_is_refused_in_words(
    auditor: httpx.AsyncClient, given: str, status: int
) -> None:
    """The first line is the start of a chain: nobody's act, so no auditor of one organisation reads it."""
    page = await shown(auditor, f"/journal/preuve?ligne={given}", status)
    assert "Pas de preuve" in page
    assert WHOLE in page
