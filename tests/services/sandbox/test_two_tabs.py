"""One thing open in two tabs, or before two people: neither overwrites the other unseen, and nothing is said twice."""

import html
import re
from typing import Any

import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http


def resource(sandbox: Running, path: str) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.get(sandbox.token("gp"), path).json()
    return found


def test_a_step_changed_in_another_tab_is_shown_and_the_words_stay(sandbox: Running) -> None:
    with behind(sandbox, "coordinator") as browser:
        address = re.findall(r"/cohorte/etapes/[0-9a-f]+", browser.get("/cohorte").text)[-1]
        one, other = (
            {"csrf": hidden(text, "csrf"), "version": hidden(text, "version"), "day": "2026-01-05"}
            for text in (browser.get(address).text, browser.get(address).text)
        )
        first = browser.post(address, data={**one, "action": "excuse", "reason": "refuse l'atelier"})
        second = browser.post(address, data={**other, "action": "move", "reason": "en vacances"})
        task = sandbox.get(sandbox.token("coordinator"), f"Task/{address.rpartition('/')[2]}").json()

    assert (first.status_code, second.status_code) == (303, 409)
    assert "modifié cette étape entre-temps" in second.text
    assert 'value="en vacances"' in second.text
    assert task["statusReason"]["text"] == "refuse l'atelier"


def test_an_alert_seen_by_two_was_seen_by_the_first_and_both_instructions_leave(sandbox: Running) -> None:
    patient = next(one["id"] for one in sandbox.known["patients"] if one["key"] == "bpco_04")
    sent = f"Communication?patient=Patient/{patient}&category=instruction&_count=100"
    before = resource(sandbox, sent)["total"]
    with behind(sandbox, "gp") as doctor, behind(sandbox, "nurse") as nurse:
        pages = [doctor.get(f"/dossiers/{patient}").text, nurse.get(f"/dossiers/{patient}").text]
        found = re.search(r"/dossiers/\w+/alertes/(\w+)", pages[0])
        assert found, "the alert of the territory waits"
        words = ["Je passe demain.", "Je l'appelle ce soir."]
        answers = [
            browser.post(found[0], data={"csrf": hidden(text, "csrf"), "instruction": said})
            for browser, text, said in zip((doctor, nurse), pages, words, strict=True)
        ]
        # The same again in a third tab without a word changes nothing.
        answers.append(nurse.post(found[0], data={"csrf": hidden(pages[1], "csrf"), "instruction": ""}))
        said = html.unescape(nurse.get(answers[1].headers["location"]).text)
        first = html.unescape(doctor.get(answers[0].headers["location"]).text)
    task = resource(sandbox, f"Task/{found[1]}")

    assert "Cette alerte était déjà vue par Dr Anne-Laure Guillemot" in said
    assert "était déjà vue" not in first
    assert [one.status_code for one in answers] == [303, 303, 303]
    assert "Guillemot" in task["owner"]["display"]
    assert [one["valueString"] for one in task["output"]][-2:] == words
    assert resource(sandbox, sent)["total"] == before + 2


def test_an_instruction_that_is_too_long_is_named_and_shown_again(sandbox: Running) -> None:
    patient = next(one["id"] for one in sandbox.known["patients"] if one["key"] == "bpco_03")
    with behind(sandbox, "aide") as aide:
        text = aide.get(f"/visite/{patient}").text
        form = {name: hidden(text, name) for name in ("csrf", "visit")}
        start = text.split('id="start"')[1].split('value="')[1].split('"')[0]
        sent = {**form, "start": start, "presence": "present", "alert": "alert-worry", "note": "Longue."}
        assert aide.post(f"/visite/{patient}", data=sent).status_code == 303
    with behind(sandbox, "nurse") as nurse:
        text = nurse.get(f"/dossiers/{patient}").text
        address = re.findall(r"/dossiers/\w+/alertes/\w+", text)[0]
        typed = "Une consigne « bien » trop longue. " * 90
        answer = nurse.post(address, data={"csrf": hidden(text, "csrf"), "instruction": typed})
    page = html.unescape(answer.text)

    assert answer.status_code == 400
    assert "La consigne est trop longue : 160 lettres au plus" in page
    assert f'value="{typed.strip()}"' in page
    assert resource(sandbox, f"Task/{address.rpartition('/')[2]}")["status"] == "requested"
