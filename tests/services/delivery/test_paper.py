"""A sheet of paper is typed in with its true date, and the visits leave for the service's own software without a word of health."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from liaison.services.pages.clock import PARIS

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person
from .test_bringing import encounters

pytestmark = pytest.mark.http


def typed(manager: Telephone, sandbox: Running, patient: str, day: str, **form: Any) -> tuple[str, Any]:
    path = f"/service/papier/{patient}"
    page = manager.http.get(path).text
    options = page.split('id="aide"')[1].split("</select>")[0]
    role = options.split(f">{person(sandbox, 'aide2')['name']}</option>")[0].rpartition('value="')[2].split('"')[0]
    data = {"csrf": field(page, "csrf"), "visit": field(page, "visit"), "appointment": "", "aide": role, "jour": day}
    said = {"presence": "present", "general": "usual", "start": "08:10", "end": "08:50", "tasks": ["wash", "bed"]}
    return data["visit"], manager.http.post(path, data={**data, **said, **form})


def test_it_is_filed_at_its_true_date_in_the_aide_s_name_as_transcribed(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    patient, day = telephone.someone["patient"], f"{datetime.now(PARIS) - timedelta(days=9):%Y-%m-%d}"
    number, sent = typed(manager, sandbox, patient, day, note="Elle a bien dormi.")
    assert sent.status_code == 303, text(sent)

    [encounter] = encounters(sandbox, number)
    assert encounter["period"]["start"].startswith(f"{day}T08:10")
    assert encounter["participant"][0]["individual"]["reference"] == person(sandbox, "aide2")["practitioner_role"]
    token = sandbox.token("gp")
    [told] = sandbox.get(token, f"Provenance?target=Encounter/{encounter['id']}").json()["entry"]
    agents = {one["type"]["coding"][0]["code"]: one["who"]["reference"] for one in told["resource"]["agent"]}
    assert agents == {
        "author": person(sandbox, "aide2")["practitioner_role"],
        "enterer": person(sandbox, "home_service_manager")["practitioner_role"],
    }
    assert told["resource"]["activity"]["text"] == "Transcrit du papier"
    assert "Transcrit du papier." in text(manager.http.get(f"/dossiers/{patient}"))


@pytest.mark.parametrize(
    ("days", "form", "words"),
    [
        (-1, {}, "Donnez le jour de la visite"),
        (90, {}, "Donnez le jour de la visite"),
        (9, {"aide": ""}, "Choisissez qui a fait la visite"),
        (9, {"presence": ""}, "Il manque une réponse"),
        (9, {"end": "07:00"}, "Cette heure n'est pas possible"),
        (9, {"weight": "plume"}, "pas reconnue"),
    ],
    ids=["tomorrow", "long ago", "nobody's", "no presence", "ends before it begins", "a weight that is none"],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    telephone: Telephone, manager: Telephone, sandbox: Running, days: int, form: dict[str, str], words: str
) -> None:
    day = f"{datetime.now(PARIS) - timedelta(days=days):%Y-%m-%d}"
    number, sent = typed(manager, sandbox, telephone.someone["patient"], day, **{"note": "Un mot.", **form})

    assert sent.status_code == 400
    assert words in text(sent)
    assert "Un mot." in text(sent)
    assert encounters(sandbox, number) == []


def test_the_sheet_is_a_pdf(telephone: Telephone, manager: Telephone) -> None:
    sheet = manager.http.get(f"/service/feuille/{telephone.someone['patient']}")

    assert sheet.headers["content-type"] == "application/pdf"
    assert sheet.content.startswith(b"%PDF")
    assert "Imprimer la feuille" in text(manager.http.get("/service/feuilles"))


def test_visits_leave_as_a_table_without_a_word_of_health(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    patient, day = telephone.someone["patient"], f"{datetime.now(PARIS) - timedelta(days=20):%Y-%m-%d}"
    assert typed(manager, sandbox, patient, day, note="=Secret", breath="breath-more")[1].status_code == 303
    page = manager.http.get("/service/export").text

    sent = manager.http.post("/service/export", data={"csrf": field(page, "csrf"), "du": day, "au": day})

    rows = list(csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig")), delimiter=";"))
    mine = [row for row in rows if row["debut_declare"] == "08:10"]
    assert [(row["date"], row["fin_declaree"], row["taches"], row["transcrit_du_papier"]) for row in mine] == [
        (day, "08:50", "Toilette, Coucher", "oui")
    ]
    assert "Secret" not in sent.text
    assert "souffle" not in sent.text.lower()
    query = "AuditEvent?type=http://dicom.nema.org/resources/ontology/DCM|110106&_sort=-date&_count=5"
    exported = sandbox.get(sandbox.token("auditor"), query).json().get("entry", [])
    manager_ = person(sandbox, "home_service_manager")["practitioner"]
    assert any(one["resource"]["agent"][0]["who"]["reference"] == manager_ for one in exported)
    refused = manager.http.post("/service/export", data={"csrf": field(page, "csrf"), "du": day, "au": "2020-01-01"})
    assert refused.status_code == 422
