"""« Qui lira ce mot »: the list of a notebook is that of the people who then read the note, for everyone in the territory."""

import html
from typing import Any

import pytest

from liaison.services.sandbox.token import NoToken

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
WHO = "bpco_04"
PROCHES = "https://liaison.example/fhir/CodeSystem/visibility|proches"
AT_HOME = "L'aide qui vient à domicile, et son service"


def _patient(sandbox: Running) -> str:
    return next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == WHO)


def _professionals(sandbox: Running) -> list[dict[str, Any]]:
    return [one for one in sandbox.known["people"] if one.get("practitioner_role")]


def _reads(sandbox: Running, who: str, note: str) -> bool:
    answer = sandbox.get(
        sandbox.token(who), f"Communication?patient={_patient(sandbox)}&_security={PROCHES}&_count=100"
    )
    return answer.status_code == 200 and note in answer.text


def _may_not_ask(sandbox: Running, who: str) -> bool:
    """Whether another test has given them a second factor, which nobody here has: the sandbox is everyone's."""
    try:
        sandbox.token(who)
    except NoToken:
        return True
    return False


def _compared(sandbox: Running, note: str, whom: str = "") -> dict[str, tuple[bool, bool]]:
    """By key, of one person or of all: whether the page lists them before the note is written, and whether they read it
    afterwards."""
    path = f"/dossiers/{_patient(sandbox)}/carnet"
    with behind(sandbox, "gp") as browser:
        page = html.unescape(browser.get(path).text)
        said = page.split('id="lecteurs"')[1].split("</ul>")[0]
        csrf = hidden(page, "csrf")
        assert browser.post(path, data={"csrf": csrf, "mot": note}).status_code == 303
    found = {}
    for one in _professionals(sandbox):
        if whom not in ("", one["key"]) or _may_not_ask(sandbox, one["key"]):
            continue
        listed = AT_HOME in said if one["role"] in ("home-aide", "home-service-manager") else one["name"] in said
        found[one["key"]] = (listed, _reads(sandbox, one["key"], note))
    return found


def test_who_is_listed_reads_the_note_and_nobody_else(sandbox: Running) -> None:
    found = _compared(sandbox, "Un mot pour ses proches.")

    assert len(found) >= len(_professionals(sandbox)) - 3
    aides = {one["key"] for one in _professionals(sandbox) if one["role"] in ("home-aide", "home-service-manager")}
    assert {key: both for key, both in found.items() if both[0] != both[1] and key not in aides} == {}
    assert any(found[key] == (True, True) for key in aides), "the aide who comes is told of as one with her service"
    assert found["trainee"] == (True, True), "who acts for a member reads, though they are no member"


def test_whom_the_person_opposes_is_not_listed_any_more(sandbox: Running) -> None:
    pharmacist = next(one for one in sandbox.known["people"] if one["key"] == "pharmacist")
    against = {"name": "against", "valueReference": {"reference": pharmacist["practitioner"]}}
    asked = {"resourceType": "Parameters", "parameter": [against]}
    before = _compared(sandbox, "Avant son opposition.", "pharmacist")["pharmacist"]
    patient = _patient(sandbox)
    opposed = sandbox.post(sandbox.token("gp"), f"Patient/{patient}/$oppose", asked)
    assert opposed.status_code in (200, 201), opposed.text
    try:
        assert (before, _compared(sandbox, "Après son opposition.", "pharmacist")["pharmacist"]) == (
            (True, True),
            (False, False),
        )
    finally:  # the sandbox is everyone's
        consents = sandbox.get(
            sandbox.token("gp"), f"Consent?patient={patient}&status=active&_sort=-_lastUpdated"
        ).json()
        latest = next(e["resource"] for e in consents["entry"] if e["resource"]["provision"].get("type") == "deny")
        means = {"resourceType": "Parameters", "parameter": [{"name": "means", "valueCode": "oral"}]}
        assert sandbox.post(sandbox.token("gp"), f"Consent/{latest['id']}/$withdraw", means).status_code == 200


def test_who_writes_no_note_is_not_told_who_is_around_the_person(sandbox: Running) -> None:
    """A secretary sees the visits, and not the team (row 10b)."""
    path = f"/dossiers/{_patient(sandbox)}/carnet"
    with behind(sandbox, "secretary") as browser:
        page = browser.get(path)
    with behind(sandbox, "nurse") as browser:
        writer = html.unescape(browser.get(path).text)
    around = [one["name"] for one in _professionals(sandbox) if one["name"] in writer and one["key"] != "secretary"]
    assert len(around) > 2
    assert page.status_code == 200
    told = html.unescape(page.text)
    assert "Prochains passages" in told
    assert [name for name in around if name in told] == []
    assert 'id="lecteurs"' not in told
    assert 'id="mot"' not in told
