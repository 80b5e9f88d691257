"""The desk, on the territory: a person's objection is recorded whoever they prove to be, and nothing is said that is not so."""

import html
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
PATH = "/accueillir"


def _identity(family: str, birth: str = "1951-04-01") -> dict[str, str]:
    return {"birth": birth, "family": family, "given": "Maryvonne", "sex": "female", "ins_kind": "10"}


def _posted(browser: httpx.Client, step: str, form: dict[str, str]) -> tuple[int, str]:
    csrf = hidden(browser.get(PATH).text, "csrf")
    answer = browser.post(PATH, data={"csrf": csrf, "step": step, **form}, follow_redirects=True)
    return answer.status_code, html.unescape(answer.text)


def _opened(browser: httpx.Client, family: str) -> None:
    status, _ = _posted(browser, "register", {**_identity(family), "informed": "oral", "opposed": "no"})
    assert status == 200


def _called(sandbox: Running, family: str) -> list[dict[str, Any]]:
    bundle = sandbox.get(sandbox.token("gp"), f"Patient?family={family}").json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_who_was_mistyped_and_proves_to_be_known_is_opposed_all_the_same(sandbox: Running) -> None:
    """The letters were mistyped, so the desk believed that nobody is known; then the whole identity was right."""
    with behind(sandbox, "gp") as browser, behind(sandbox, "gp_outside") as desk:
        _opened(browser, "MALTAPEE")
        assert len(_called(sandbox, "MALTAPEE")) == 1
        _, text = _posted(desk, "register", {**_identity("MALTAPEE"), "informed": "oral", "opposed": "yes"})

    assert "Cette personne était déjà connue : son opposition est notée." in text
    assert "Le dossier est créé" not in text
    assert _called(sandbox, "MALTAPEE") == []


def test_one_s_own_patient_who_opposes_at_the_desk_is_not_said_to_be_created(sandbox: Running) -> None:
    with behind(sandbox, "gp") as browser:
        _opened(browser, "DEJAMIENNE")
        _, text = _posted(browser, "register", {**_identity("DEJAMIENNE"), "informed": "oral", "opposed": "yes"})

    assert "déjà connue : son opposition est notée" in text
    assert _called(sandbox, "DEJAMIENNE") == []


def test_someone_known_can_oppose_from_the_page_that_says_so(sandbox: Running) -> None:
    with behind(sandbox, "gp") as browser, behind(sandbox, "nurse") as desk:
        _opened(browser, "SOPPOSEICI")
        _, known = _posted(desk, "traits", _identity("SOPPOSEICI"))
        assert "Noter qu'elle s'oppose à tout partage" in known
        form = known[known.rindex("<form") :]
        again = {
            name: hidden(form, name) for name in ("birth", "family", "given", "sex", "birthplace", "ins", "ins_kind")
        }
        _, text = _posted(desk, "oppose", again)

    assert "son opposition est notée" in text
    assert _called(sandbox, "SOPPOSEICI") == []


def test_an_objection_to_someone_named_is_said_to_be_missing_where_the_record_is_closed(sandbox: Running) -> None:
    with behind(sandbox, "gp") as browser, behind(sandbox, "nurse") as desk:
        _opened(browser, "AQUELQUUN")
        _, text = _posted(desk, "register", {**_identity("AQUELQUUN"), "informed": "oral", "opposed": "some"})

    assert "Son opposition n'est pas notée" in text
    assert len(_called(sandbox, "AQUELQUUN")) == 1


@pytest.mark.parametrize("birth", ["2090-01-01", "0001-01-01", "1951-W10-1", "1951-13-01", "19510401"])
def test_a_day_on_which_nobody_alive_was_born_is_refused(sandbox: Running, birth: str) -> None:
    with behind(sandbox, "gp") as browser:
        status, text = _posted(browser, "register", {**_identity("PASNEE", birth), "informed": "oral", "opposed": "no"})

    assert status == 400
    assert "La date de naissance manque" in text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("phone", "0" * 60, "Le téléphone n'est pas un numéro."),
        ("phone", "demander à la fille", "Le téléphone n'est pas un numéro."),
        ("birthplace", "Brest", "Le code INSEE"),
        ("used", "x" * 101, "cent caractères au plus"),
    ],
    ids=["long phone", "no phone", "no code", "long name"],
)
def test_what_is_no_such_thing_is_named(sandbox: Running, field: str, typed: str, said: str) -> None:
    with behind(sandbox, "gp") as browser:
        form = {**_identity("MALDITE"), "informed": "oral", "opposed": "no", field: typed}
        status, text = _posted(browser, "register", form)

    assert status == 400
    assert said in text


@pytest.mark.parametrize("basis", [None, "", "invited", "recognised"])
def test_a_member_is_on_the_team_on_a_ground_that_is_said(sandbox: Running, basis: str | None) -> None:
    """L.1110-12: a form without it, or with one that no desk states, opens nothing. Its sibling says one."""
    [nurse] = [one for one in sandbox.known["people"] if one["key"] == "nurse"]
    role, family = nurse["practitioner_role"], f"TITRE{(basis or 'rien').upper()}"
    form = {**_identity(family), "informed": "oral", "opposed": "no", "member": role}
    with behind(sandbox, "gp") as browser:
        status, text = _posted(browser, "register", form | ({} if basis is None else {f"basis-{role}": basis}))

    said = basis == "recognised"
    assert (status, len(_called(sandbox, family))) == ((200, 1) if said else (400, 0))
    assert ("Dites à quel titre fait partie de son équipe" in text) is not said


@pytest.mark.parametrize(
    "typed", ["!!!", "- ·", "漢字", "'", "🙂"], ids=["marks", "dash", "han", "apostrophe", "emoji"]
)
def test_a_name_without_a_letter_of_ours_finds_nobody(sandbox: Running, typed: str) -> None:
    with behind(sandbox, "gp") as browser:
        csrf = hidden(browser.get("/dossiers").text, "csrf")
        answer = browser.post("/dossiers", data={"csrf": csrf, "nom": typed})

    assert answer.status_code == 200


@pytest.mark.parametrize(("door", "doctor"), [("secretary", "gp"), ("substitute_active", "gp_replaced")])
def test_who_acts_for_a_doctor_receives_for_them_and_is_told_so_before(
    sandbox: Running, door: str, doctor: str
) -> None:
    family = f"RECUEPOUR{door.partition('_')[0].upper()}"
    [them] = [one for one in sandbox.known["people"] if one["key"] == doctor]
    with behind(sandbox, door) as browser:
        _, form = _posted(browser, "traits", _identity(family))
        ticked = form.split(f'value="{them["practitioner_role"]}" checked disabled>')
        assert len(ticked) == 2, "the doctor is on the team before anybody is chosen"
        assert f"Vous l'accueillez pour {them['name']}" in form
        basis = {f"basis-{them['practitioner_role']}": "recognised"}
        status, text = _posted(browser, "register", {**_identity(family), "informed": "oral", "opposed": "no", **basis})
        assert status == 200, text

    found = sandbox.get(sandbox.token(doctor), f"Patient?family={family}").json()
    assert [one["resource"]["name"][0]["family"] for one in found["entry"]] == [family]
    who = found["entry"][0]["resource"]["id"]
    told = sandbox.get(sandbox.token(doctor), f"Consent?patient={who}&category=information").json()
    assert f"Destinataires : {them['name']}" in told["entry"][0]["resource"]["policyRule"]["text"]


@pytest.mark.parametrize(
    ("door", "doctor", "confirming"),
    [("secretary", "gp", "gp"), ("substitute_active", "gp_replaced", "substitute_active")],
    ids=["secretary", "substitute"],
)
def test_what_a_newcomer_opposes_at_a_desk_for_another_is_in_the_doctor_s_list_and_is_confirmed_there(
    sandbox: Running, door: str, doctor: str, confirming: str
) -> None:
    family = f"OPPOSEE{door.partition('_')[0].upper()}"
    [them] = [one for one in sandbox.known["people"] if one["key"] == doctor]
    basis = {f"basis-{them['practitioner_role']}": "recognised"}
    with behind(sandbox, door) as browser:
        _, text = _posted(browser, "register", {**_identity(family), "informed": "oral", "opposed": "yes", **basis})
        assert "Le dossier est créé et l'opposition est notée." in text
    waiting = sandbox.get(sandbox.token(doctor), "Consent?status=proposed&_sort=-_lastUpdated&_count=1").json()
    with behind(sandbox, confirming) as browser:
        page = html.unescape(browser.get("/oppositions").text)
        assert family in page
        about = page[page.index(family) :]
        where = about.split('action="/oppositions/')[1].split('"')[0]
        assert waiting["entry"][0]["resource"]["id"] == where
        csrf = hidden(page, "csrf")
        done = browser.post(f"/oppositions/{where}", data={"csrf": csrf, "asked": "yes", "act": "confirm"})
        assert done.status_code == 303, done.text
    consent = sandbox.get(sandbox.token(doctor), f"Consent/{where}").json()
    assert (consent["status"], consent["verification"][0]["verified"]) == ("active", True)


def test_nobody_whose_role_has_ended_is_offered_for_a_team(sandbox: Running) -> None:
    with behind(sandbox, "gp_outside") as desk:
        _, text = _posted(desk, "traits", _identity("PERSONNEICI"))

    assert "Dr Anne-Laure Guillemot" in text
    assert "Dr Paul Ruellan" not in text
    # A substitute is in a team by the doctor who is replaced.
    assert "Dr Inès Moreau" not in text
