"""Exports of an answer: they follow its filters, carry count and hash, hold no formula, and are entries themselves."""

import csv
import hashlib
import io
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from liaison.auth.journal import looking
from liaison.auth.journal.entry import Event
from liaison.services.pages.audit.exporting import COLUMNS, neutral

from ...oauth.conftest import PASSWORD, Place, field
from ..sheets.test_printing import words
from .conftest import by_nurse, patient_key
from .test_integrity import integrate


def split(body: bytes) -> tuple[bytes, bytes]:
    """Everything but the last line, and that."""
    lines = body.splitlines(keepends=True)
    return b"".join(lines[:-1]), lines[-1]


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(split(body)[0].decode())))


async def test_a_csv_follows_the_filters_and_carries_its_count_and_hash(
    place: Place, officer: httpx.AsyncClient
) -> None:
    await officer.get(f"/journal/dossiers/{place.patient}")
    whole = await officer.get(f"/journal/export.csv?dossier={place.patient}")
    narrowed = await officer.get(f"/journal/export.csv?dossier={place.patient}&role=nurse")
    none = await officer.get(f"/journal/export.csv?dossier={place.patient}&role=gp")

    assert set(rows(narrowed.content)[0]) == set(COLUMNS)
    assert {row["role"] for row in rows(narrowed.content)} == {"nurse"}
    assert {row["dossier"] for row in rows(narrowed.content)} == {place.patient}
    assert len(rows(whole.content)) >= len(rows(narrowed.content)) > len(rows(none.content)) == 0
    before, last = split(narrowed.content)
    count = len(rows(narrowed.content))
    assert last == f"# {count} lignes,complet,SHA-256,{hashlib.sha256(before).hexdigest()}\r\n".encode()
    assert b"LE GOFF" not in whole.content


@pytest.mark.parametrize("form", ["csv", "ndjson", "pdf"])
async def test_an_export_asks_again_who_it_is_and_leads_back_to_the_question(
    place: Place, officer: httpx.AsyncClient, form: str
) -> None:
    writing = place.house.database.writing
    await writing.execute("update browser_session set started_at = now() - interval '31 minutes'")
    refused = await officer.get(f"/journal/export.{form}?dossier={place.patient}&role=nurse")
    assert refused.status_code == 303
    assert refused.content == b""
    assert await place.house.database.reading.fetchval(
        "select count(*) from journal_entry where event = $1", Event.EXPORT
    ) == 0  # fmt: skip

    [back] = parse_qs(urlsplit(refused.headers["location"]).query)["suite"]
    form_page = await officer.get(refused.headers["location"])
    proof = {"csrf": field(form_page.text, "csrf"), "suite": field(form_page.text, "suite"), "secret": PASSWORD}
    assert (await officer.post("/confirmer", data=proof)).headers["location"] == back
    again = await officer.get(back)
    [link] = re.findall(rf'href="(/journal/export\.{form}\?[^"]*)"', again.text)
    assert "role=nurse" in link
    assert (await officer.get(unescape(link))).status_code == 200


async def test_an_ndjson_is_of_auditevents_and_ends_with_its_count_and_hash(
    place: Place, officer: httpx.AsyncClient
) -> None:
    answer = await officer.get(f"/journal/export.ndjson?dossier={place.patient}&role=nurse")
    before, last = split(answer.content)
    events = [orjson.loads(line) for line in before.splitlines()]
    said = {one["name"]: next(v for k, v in one.items() if k != "name") for one in orjson.loads(last)["parameter"]}

    assert {one["resourceType"] for one in events} == {"AuditEvent"}
    assert said == {"count": len(events), "cut": False, "sha256": hashlib.sha256(before).hexdigest()}


async def test_paper_has_the_visits_who_made_it_the_hash_of_the_csv_and_the_checkpoint(
    place: Place, officer: httpx.AsyncClient
) -> None:
    query = f"dossier={place.patient}&role=nurse&motif=TREAT"
    await integrate(place)
    table = await officer.get(f"/journal/export.csv?{query}")
    paper = await officer.get(f"/journal/export.pdf?{query}")

    assert "Camille NURSE" in words(paper.content)
    assert hashlib.sha256(split(table.content)[0]).hexdigest() in words(paper.content).replace("\n", "")
    assert "par Camille DPO" in words(paper.content)
    assert "Visites : 1. Lignes : " in words(paper.content)
    note = (await officer.get("/journal/point-signe")).text.split("\n")
    assert f"{note[1]} lignes, racine {note[2]}" in words(paper.content).replace("\n", " ")


@pytest.mark.parametrize("form", ["csv", "ndjson", "pdf"])
async def test_an_export_that_is_cut_says_so(
    place: Place, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(looking, "MOST_EXPORTED", 1)
    answer = await officer.get(f"/journal/export.{form}?dossier={place.patient}")

    if form == "pdf":
        assert "Cet extrait est coupé" in words(answer.content)
    else:
        last = split(answer.content)[1].decode()
        assert {"csv": ",coupé,", "ndjson": '"cut","valueBoolean":true'}[form] in last


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"], ids=["equals", "plus", "minus", "at", "tab", "cr"])
def test_a_cell_is_no_formula(mark: str) -> None:
    assert neutral(f"{mark}1+1") == f"'{mark}1+1"
    assert neutral(f"1{mark}1") == f"1{mark}1"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (" =1+1", "' =1+1"),
        ("\n=1+1", "'\n=1+1"),
        ("urgence;=1+1", "urgence;'=1+1"),
        ("urgence; @SUM(1)", "urgence;' @SUM(1)"),
        ("urgence\n+1", "urgence\n'+1"),
        ("＝1+1", "'＝1+1"),
        ("chute ; douleur - repos", "chute ; douleur - repos"),
        ("2026-03-01T10:00:00.000+00:00", "2026-03-01T10:00:00.000+00:00"),
    ],
    ids=[
        "after a space",
        "on a line below",
        "after a semicolon",
        "after both",
        "in a second line",
        "full width",
        "words",
        "a time",
    ],
)
def test_nor_is_what_a_spreadsheet_makes_a_cell_of(typed: str, written: str) -> None:
    assert neutral(typed) == written


async def test_a_reason_that_someone_typed_is_no_formula_in_a_spreadsheet_and_what_was_refused_is_named(
    place: Place, officer: httpx.AsyncClient
) -> None:
    typed = '=HYPERLINK("https://evil.example","clic")'
    refused = {"outcome": 4, "patient": 0, "requested": ("Patient", place.patient)}
    await place.house.journal.record([await by_nurse(place, Event.EMERGENCY, reason=typed, **refused)])
    answer = await officer.get(f"/journal/export.csv?dossier={place.patient}")

    assert (f"'{typed}", f"Patient/{place.patient}") in {(row["motif"], row["demande"]) for row in rows(answer.content)}


@pytest.mark.parametrize("form", ["csv", "ndjson", "pdf"])
async def test_an_export_is_an_entry_on_the_person(place: Place, officer: httpx.AsyncClient, form: str) -> None:
    count = "select count(*) from journal_entry where event = 40 and patient = any($1::bigint[])"
    about = [0, patient_key(place).patient]
    await officer.get(f"/journal/export.{form}?dossier={place.patient}")

    assert await place.house.database.reading.fetchval(count, about) == 2


async def test_a_question_that_is_not_understood_is_no_export(officer: httpx.AsyncClient) -> None:
    answer = await officer.get("/journal/export.csv?heure=99")

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("who", ["nurse", "patient", "admin"])
async def test_exports_are_for_officers_alone(place: Place, who: str) -> None:
    async with place.signed_in(who) as browser:
        assert (await browser.get(f"/journal/export.csv?dossier={place.patient}")).status_code == 404
