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
def several(sandbox: Running) -> list[dict[str, str]]:
    """Somebody whom the manager sees and neither aide visits that day, and somebody whom the first does not visit; with the two."""
    seen = {key: sandbox.patients(key) for key in ("home_service_manager", "aide", "aide2")}
    ids = {str(one["key"]): str(one["id"]) for one in sandbox.known["patients"]}
    aides = {who: str(person(sandbox, who)["name"]) for who in ("aide", "aide2")}
    found = []
    alone = min(seen["home_service_manager"] - seen["aide"] - seen["aide2"])
    for key in (alone, min(seen["home_service_manager"] - seen["aide"] - {alone})):
        tree = sandbox.get(sandbox.token("home_service_manager"), f"Patient/{ids[key]}").json()
        official = next(one for one in tree["name"] if one["use"] == "official")
        called = f"{official['family']} {official['given'][0]}"
        found.append({"patient": ids[key], "person": called, "born": tree["birthDate"], **aides})
    return found


@pytest.fixture
def names(several: list[dict[str, str]]) -> dict[str, str]:
    return several[0]


def line(names: dict[str, str], who: str, day: datetime, hour: str, number: str = "P1") -> str:
    return f"{number};{day:%Y-%m-%d};{hour};;{names['person']};{names['born']};{names[who]};Ménage"


HEAD = "numero;date;debut;fin;personne;date_naissance;aide;consigne"


def open_to(sandbox: Running, who: str, patient: str) -> bool:
    return sandbox.get(sandbox.token(who), f"Patient/{patient}").status_code == 200


def numbered(sandbox: Running, patient: str, number: str) -> list[dict[str, Any]]:
    """The lines of that person that a file made under this number."""
    bundle = sandbox.get(sandbox.token("home_service_manager"), f"Appointment?patient={patient}&_count=200").json()
    found = [one["resource"] for one in bundle.get("entry", [])]
    return [one for one in found if one.get("identifier", [{"value": ""}])[0]["value"].endswith(f"#{number}")]


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


def test_lines_of_people_who_are_not_followed_here_may_be_left_aside(
    manager: Telephone, sandbox: Running, names: dict[str, str]
) -> None:
    day = datetime.now(PARIS) + timedelta(days=25)
    stranger = line({**names, "person": "Inconnue Personne"}, "aide", day, "08:00", "S1")
    refused = send(manager, f"{HEAD}\n{stranger}\n{line(names, 'aide', day, '09:00', 'S2')}\n")
    assert refused.status_code == 422
    data = {name: field(refused.text, name) for name in ("csrf", "contenu", "cote")}

    shown = manager.http.post(f"{PATH}/fichier", data={**data, "agir": "voir"})

    assert "1 ligne laissée de côté" in text(shown)
    assert "Ligne 2 : Inconnue Personne" in text(shown)
    assert manager.http.post(f"{PATH}/fichier", data={**data, "agir": "publier"}).status_code == 303
    assert [one["status"] for one in numbered(sandbox, names["patient"], "S2")] == ["booked"]
    # A name that is misspelt in a line that stands is a slip, and takes no visit away.
    slip = send(manager, f"{HEAD}\n{stranger.replace('S1', 'S2')}\n{line(names, 'aide', day, '10:00', 'S3')}\n")
    assert slip.status_code == 422
    assert 'name="cote"' not in slip.text


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


def test_a_number_is_one_visit_whatever_day_it_is_moved_to(
    manager: Telephone, sandbox: Running, names: dict[str, str], several: list[dict[str, str]]
) -> None:
    day, odd = datetime.now(PARIS) + timedelta(days=20), "A,B|C&D+1%"
    shown = send(manager, f"{HEAD}\n{line(names, 'aide', day, '10:00', odd)}\n")
    assert publish(manager, shown).status_code == 303
    moved = send(manager, f"{HEAD}\n{line(names, 'aide2', day + timedelta(days=9), '11:00', odd)}\n")

    assert "1 visite changée" in text(moved)
    assert publish(manager, moved).status_code == 303
    [visit] = numbered(sandbox, names["patient"], odd)
    assert visit["start"].startswith(f"{day + timedelta(days=9):%Y-%m-%d}T11:00")
    refused = send(manager, f"{HEAD}\n{line(several[1], 'aide2', day, '11:00', odd)}\n")
    assert refused.status_code == 422
    assert "celui d'une visite à quelqu'un d'autre" in text(refused)


def test_two_visits_of_an_aide_at_once_are_said(manager: Telephone, names: dict[str, str]) -> None:
    day = datetime.now(PARIS) + timedelta(days=15)
    lines = [line(names, "aide", day, hour, hour) for hour in ("09:00", "09:20", "10:00")]
    shown = text(send(manager, "\n".join([HEAD, *lines])))

    twice = shown.partition("En même temps pour la même aide")[2].partition("Chaque aide")[0]
    assert [hour for hour in ("9 h 00", "9 h 20", "10 h 00") if hour in twice] == ["9 h 00", "9 h 20"]


def test_a_file_books_nothing_for_who_is_in_hospital(
    manager: Telephone, sandbox: Running, several: list[dict[str, str]]
) -> None:
    names, now = several[1], datetime.now(PARIS)
    patient, soon = names["patient"], now + timedelta(minutes=5)
    stay = f"/service/sejour/{patient}"

    def state(act: str) -> None:
        data = {"csrf": field(manager.http.get(stay).text, "csrf"), "acte": act, "jour": f"{now:%Y-%m-%d}"}
        assert manager.http.post(stay, data=data).status_code == 303

    state("entree")
    new = f"{HEAD}\n{line(names, 'aide', soon, f'{soon:%H:%M}', 'H1')}\n"
    shown = send(manager, new)
    assert "1 visite en pause : la personne est à l'hôpital" in text(shown)
    assert stay in shown.text
    assert publish(manager, shown).status_code == 303
    [visit] = numbered(sandbox, patient, "H1")
    assert (visit["status"], visit["cancelationReason"]["text"]) == ("cancelled", "Hospitalisation")
    # A line that stood stays one of its aide's (test_stays); this one opens nothing to somebody who was not to come before.
    assert not open_to(sandbox, "aide", patient)
    assert "En pause : à l'hôpital" in text(manager.http.get(f"{PATH}?jour={soon:%Y-%m-%d}"))
    # What the planning changes meanwhile is taken up, and pauses on.
    assert "Rien ne change" in text(send(manager, new))
    assert publish(manager, send(manager, new.replace("Ménage", "Courses"))).status_code == 303

    state("sortie")

    [visit] = numbered(sandbox, patient, "H1")
    assert (visit["status"], visit["description"]) == ("booked", "Courses")
    assert open_to(sandbox, "aide", patient)


def test_nobody_is_sent_whom_the_person_does_not_want(
    manager: Telephone, sandbox: Running, names: dict[str, str]
) -> None:
    role = person(sandbox, "aide")["practitioner_role"]
    against = {"name": "against", "valueReference": {"reference": role}}
    said = {"resourceType": "Parameters", "parameter": [against, {"name": "means", "valueCode": "oral"}]}
    token = sandbox.token("home_service_manager")
    assert sandbox.post(token, f"Patient/{names['patient']}/$oppose", said).status_code == 201

    day = datetime.now(PARIS) + timedelta(days=12)
    refused = send(
        manager, f"{HEAD}\n{line(names, 'aide2', day, '10:00')}\n{line(names, 'aide', day, '11:00', 'P2')}\n"
    )

    assert refused.status_code == 422
    assert f"Ligne 3, aide : La personne ne veut pas que {names['aide']} ouvre son dossier" in text(refused)
