"""Several people by a file: each line through the door of the desk, none twice, and nothing half done."""

import html
import re
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
PATH = "/accueillir/plusieurs"
HEAD = "nom_naissance;prenom;date_naissance;sexe;information;opposition;equipe_rpps"


def _lines(family: str, *, opposed: str = "non", team: str = "", count: int = 3) -> str:
    return "".join(
        f"{family}{'ABCDEFGH'[n]};Maryvonne;1951-04-0{n + 1};F;papier;{opposed};{team}\n" for n in range(count)
    )


def _sent(browser: httpx.Client, content: str, act: str = "accueillir") -> httpx.Response:
    csrf = hidden(browser.get(PATH).text, "csrf")
    return browser.post(
        PATH, data={"csrf": csrf, "agir": act}, files={"fichier": ("liste.csv", content.encode("cp1252"))}
    )


def _called(sandbox: Running, family: str) -> list[dict[str, Any]]:
    bundle = sandbox.get(sandbox.token("gp"), f"Patient?family={family}&_count=50").json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def _identity(sandbox: Running, key: str) -> dict[str, Any]:
    identity: dict[str, Any] = next(one["identity"] for one in sandbox.known["patients"] if one["key"] == key)
    return identity


def _rpps(sandbox: Running, who: str) -> str:
    reference = next(one["practitioner"] for one in sandbox.known["people"] if one["key"] == who)
    person = sandbox.get(sandbox.token("gp"), reference).json()
    return next(str(one["value"]) for one in person["identifier"] if "rpps" in one["system"])


def test_a_file_is_checked_then_received_and_a_second_time_changes_nothing(sandbox: Running) -> None:
    content = f"{HEAD}\n{_lines('KERVELLA', team=_rpps(sandbox, 'nurse'))}"
    with behind(sandbox, "gp") as browser:
        checked = html.unescape(_sent(browser, content, "verifier").text)
        none = _called(sandbox, "KERVELLA")
        first = html.unescape(_sent(browser, content).text)
        again = html.unescape(_sent(browser, content).text)
        record = re.search(r'href="(/dossiers/\w+)"[^>]*>Maryvonne', first)
        assert record
        page = html.unescape(browser.get(record[1]).text)

    assert "3 personnes se lisent sans erreur" in checked
    assert none == []
    assert first.count("Dossier créé") == 3
    assert again.count("Déjà dans votre liste") == 3
    assert len(_called(sandbox, "KERVELLA")) == 3
    assert "Maëlle Tanguy" in page
    assert sandbox.get(sandbox.token("nurse"), "Patient?family=KERVELLA").json()["total"] == 3


def test_an_objection_of_the_file_is_in_force_at_once(sandbox: Running) -> None:
    with behind(sandbox, "gp") as browser:
        text = html.unescape(_sent(browser, f"{HEAD}\n{_lines('OPPOSANT', opposed='oui', count=1)}").text)

    assert "opposition notée" in text
    assert _called(sandbox, "OPPOSANT") == []


def test_a_file_with_a_problem_opens_nobody_s_record(sandbox: Running) -> None:
    wrong = f"{HEAD}\n{_lines('DEMIFAIT')}DEMIFAITZ;Yves;1950-13-01;M;oral;non;\n"
    unknown = f"{HEAD}\n{_lines('DEMIFAIT', team='99700009999')}"
    with behind(sandbox, "gp") as browser:
        answers = [_sent(browser, wrong), _sent(browser, unknown)]
    texts = [html.unescape(one.text) for one in answers]

    assert [one.status_code for one in answers] == [422, 422]
    assert re.search(r"Ligne 5, <strong>date_naissance</strong>", texts[0])
    assert "n'a le numéro 99700009999" in texts[1]
    assert _called(sandbox, "DEMIFAIT") == []


def test_a_whole_list_is_received_and_an_emergency_is_still_opened(sandbox: Running) -> None:
    """More lines than questions that one may ask in an hour."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    lines = "".join(f"LONGUE{a}{b};Jeanne;1949-05-01;F;papier;non;\n" for a in "ABC" for b in letters)
    with behind(sandbox, "gp_outside") as browser:
        text = html.unescape(_sent(browser, f"{HEAD}\n{lines}").text)

    assert text.count("Dossier créé") == 78
    assert "Tout n'est pas fait" not in text
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "patient", "resource": _identity(sandbox, "heart")},
        {"name": "reason", "valueString": "Trouvé sans connaissance chez lui"},
    ]}  # fmt: skip
    answer = sandbox.post(sandbox.token("gp_outside"), "Patient/$emergency-access", asked)
    assert answer.status_code == 200, answer.text


def test_an_objection_of_someone_known_is_recorded_and_said(sandbox: Running) -> None:
    line = _lines("CONNUE", count=1)
    with behind(sandbox, "gp") as browser, behind(sandbox, "gp_outside") as other:
        assert "Dossier créé" in html.unescape(_sent(browser, f"{HEAD}\n{line}").text)
        before = len(_called(sandbox, "CONNUE"))
        text = html.unescape(_sent(other, f"{HEAD}\n{line.replace(';non;', ';oui;')}").text)

    assert before == 1
    assert "son opposition est notée" in text
    assert _called(sandbox, "CONNUE") == []


def test_a_line_that_is_refused_names_its_column(sandbox: Running) -> None:
    head = f"{HEAD};statut_identite;matricule_ins;nature_ins"
    qualified = "SANSLIEU;Jeanne;1949-05-01;F;papier;non;;qualifiée;249052923200120;test\n"
    with behind(sandbox, "gp") as browser:
        text = html.unescape(_sent(browser, f"{head}\n{qualified}").text)

    assert "<strong>Refusé : une identité qualifiée" in text
    assert _called(sandbox, "SANSLIEU") == []


def test_a_file_too_large_is_said_on_the_page(sandbox: Running) -> None:
    with behind(sandbox, "gp") as browser:
        answer = _sent(browser, "x" * (2 * 1024 * 1024 + 10))

    assert answer.status_code == 422
    assert "dépasse 2 Mo" in html.unescape(answer.text)


def test_who_receives_nobody_has_no_such_page(sandbox: Running) -> None:
    with behind(sandbox, "auditor") as browser:
        assert browser.get(PATH).status_code in (403, 404)


def test_a_secretary_s_file_opens_records_of_the_doctor_who_answers_for_her(sandbox: Running) -> None:
    """Without a word of the team in the file; what a newcomer opposes waits in the doctor's list."""
    [doctor] = [one for one in sandbox.known["people"] if one["key"] == "gp"]
    with behind(sandbox, "secretary") as browser:
        assert f"Vous les accueillez pour {doctor['name']}" in html.unescape(browser.get(PATH).text)
        done = html.unescape(_sent(browser, f"{HEAD}\n{_lines('SALAUN')}").text)
        opposed = html.unescape(_sent(browser, f"{HEAD}\n{_lines('SALIOU', opposed='oui', count=1)}").text)

    assert done.count("Dossier créé") == 3
    assert "Dossier créé, opposition notée" in opposed
    assert len(_called(sandbox, "SALAUN")) == 3
    assert _called(sandbox, "SALIOU") == []
    with behind(sandbox, "gp") as browser:
        assert "SALIOU" in html.unescape(browser.get("/oppositions").text)
