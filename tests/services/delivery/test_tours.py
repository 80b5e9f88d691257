"""The planning is published from the manager's desk: the difference first, then rights with the lines, all or nothing."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from liaison.services.pages.clock import PARIS

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person

pytestmark = pytest.mark.http
PATH = "/service/tournees"


def send(desk: Telephone, content: str, act: str = "voir", name: str = "tournee.csv") -> httpx.Response:
    page = desk.http.get(PATH)
    assert page.status_code == 200
    files = {"fichier": (name, content.encode(), "text/csv")}
    return desk.http.post(f"{PATH}/fichier", data={"csrf": field(page.text, "csrf"), "agir": act}, files=files)


def publish(desk: Telephone, shown: httpx.Response) -> httpx.Response:
    data = {name: field(shown.text, name) for name in ("csrf", "contenu")}
    return desk.http.post(f"{PATH}/fichier", data={**data, "agir": "publier"})


@pytest.fixture(scope="module")
def names(sandbox: Running) -> dict[str, str]:
    """Somebody whom the manager sees and neither aide visits that day, and the two aides."""
    seen = {key: sandbox.patients(key) for key in ("home_service_manager", "aide", "aide2")}
    key = min(seen["home_service_manager"] - seen["aide"] - seen["aide2"])
    patient = next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == key)
    tree = sandbox.get(sandbox.token("home_service_manager"), f"Patient/{patient}").json()
    official = next(one for one in tree["name"] if one["use"] == "official")
    aides = {who: str(person(sandbox, who)["name"]) for who in ("aide", "aide2")}
    return {
        "patient": patient,
        "person": f"{official['family']} {official['given'][0]}",
        "born": tree["birthDate"],
        **aides,
    }


def line(names: dict[str, str], who: str, day: datetime, hour: str, number: str = "P1") -> str:
    return f"{number};{day:%Y-%m-%d};{hour};;{names['person']};{names['born']};{names[who]};Ménage"


HEAD = "numero;date;debut;fin;personne;date_naissance;aide;consigne"


def open_to(sandbox: Running, who: str, patient: str) -> bool:
    return sandbox.get(sandbox.token(who), f"Patient/{patient}").status_code == 200


def test_a_file_is_shown_published_and_a_second_one_compared(
    manager: Telephone, sandbox: Running, names: dict[str, str]
) -> None:
    tomorrow = datetime.now(PARIS) + timedelta(hours=3)  # within what a line of a tour opens
    if tomorrow.date() != datetime.now(PARIS).date() and tomorrow.hour < 18:
        tomorrow = datetime.now(PARIS)
    first = f"{HEAD}\n{line(names, 'aide', tomorrow, f'{tomorrow:%H:%M}')}\n"

    shown = send(manager, first)
    assert "1 visite nouvelle" in text(shown)
    assert not open_to(sandbox, "aide", names["patient"])  # nothing is published by looking
    assert publish(manager, shown).status_code == 303
    assert open_to(sandbox, "aide", names["patient"])
    assert "Rien ne change" in text(send(manager, first))

    shown = send(manager, f"{HEAD}\n{line(names, 'aide2', tomorrow, f'{tomorrow:%H:%M}')}\n")
    assert "1 visite changée" in text(shown)
    assert publish(manager, shown).status_code == 303
    assert not open_to(sandbox, "aide", names["patient"])
    assert open_to(sandbox, "aide2", names["patient"])

    other = line(names, "aide", tomorrow, f"{tomorrow:%H:%M}", "P2")
    shown = send(manager, f"{HEAD}\n{other}\n")
    assert "1 visite nouvelle" in text(shown)
    assert "1 visite retirée" in text(shown)
    assert publish(manager, shown).status_code == 303
    assert not open_to(sandbox, "aide2", names["patient"])

    again = send(manager, f"{HEAD}\n{line(names, 'aide2', tomorrow, f'{tomorrow:%H:%M}')}\n{other}\n")
    assert "1 visite nouvelle" in text(again)  # P1 comes back
    assert publish(manager, again).status_code == 303
    assert open_to(sandbox, "aide2", names["patient"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"person": "Inconnue Personne"}, "Personne de ce nom n'est suivi par le service"),
        ({"aide": "Nobody Nowhere"}, "Aucune aide en poste n'a ce nom"),
        ({"born": "1901-01-01"}, "Personne de ce nom n'est suivi par le service"),
    ],
    ids=["nobody of the service", "no aide", "another day of birth"],
)
def test_a_line_that_names_nobody_publishes_nothing(
    manager: Telephone, names: dict[str, str], change: dict[str, str], words: str
) -> None:
    sent = send(manager, f"{HEAD}\n{line({**names, **change}, 'aide', datetime.now(PARIS), '23:00')}\n")

    assert sent.status_code == 422
    assert words in text(sent)


def test_one_visit_is_added_in_between(manager: Telephone, sandbox: Running, names: dict[str, str]) -> None:
    page = manager.http.get(PATH).text
    options = page.split('id="aide"')[1].split("</select>")[0]
    role = options.split(f">{names['aide2']}</option>")[0].rpartition('value="')[2].split('"')[0]
    today = f"{datetime.now(PARIS):%Y-%m-%d}"
    form: dict[str, Any] = {
        "personne": names["patient"],
        "aide": role,
        "jour": today,
        "debut": "23:15",
        "consigne": "Volets",
    }

    refused = manager.http.post(f"{PATH}/ajouter", data={"csrf": field(page, "csrf"), **form, "debut": ""})
    assert refused.status_code == 422
    sent = manager.http.post(f"{PATH}/ajouter", data={"csrf": field(page, "csrf"), **form})
    assert sent.status_code == 303
    shown = text(manager.http.get(f"{PATH}?jour={today}"))
    assert "23 h 15" in shown
    assert "Volets" in shown
    assert open_to(sandbox, "aide2", names["patient"])
