"""The form of a home visit sent a second time: what the page answers is what the record holds, word for word."""

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden
from .home_visit import (
    FIRST,
    SECOND,
    Form,
    Opened,
    Tree,
    answered,
    encounter_of,
    listed,
    opened,
    patient_of,
    said,
    words,
)

pytestmark = pytest.mark.http


@pytest.fixture
def form(sandbox: Running) -> Iterator[Opened]:
    with behind(sandbox, "aide") as browser:
        yield opened(sandbox, browser, patient_of(sandbox))


def versions(parts: dict[str, Tree]) -> dict[str, str]:
    return {name: tree["meta"]["versionId"] for name, tree in parts.items()}


def instruct(sandbox: Running, patient: str, task: str) -> None:
    """« J'ai vu », by the nurse to whom an alert goes."""
    with behind(sandbox, "nurse") as browser:
        csrf = hidden(browser.get(f"/dossiers/{patient}").text, "csrf")
        sent = {"csrf": csrf, "instruction": "J'arrive."}
        assert browser.post(f"/dossiers/{patient}/alertes/{task}", data=sent).status_code == 303


def test_the_same_content_again_gives_the_same_receipt_and_writes_nothing(sandbox: Running, form: Opened) -> None:
    first = words(form.send(FIRST))
    before = form.parts()
    with behind(sandbox, "aide") as phone:  # a lost answer, another page: nothing but the number is the same
        again = opened(sandbox, phone, form.patient)
        again.fields |= {"visit": form.number, "start": form.fields["start"]}
        second = words(again.send(FIRST))

    assert "Tout est envoyé" in first
    assert second.split("On vous répond")[0] == first.split("On vous répond")[0]
    assert form.parts() == before
    assert answered(before) == listed(FIRST)


def test_other_content_amends_the_whole_visit_and_says_what_changed(sandbox: Running, form: Opened) -> None:
    form.send({**FIRST, "meal": "meal-half"})
    before = form.parts()

    page = words(form.send(SECOND))

    after = form.parts()
    assert "Tout est envoyé" not in page
    assert "Corrigé et envoyé" in page
    assert "Comment va la personne ? avant : Comme d'habitude ; maintenant : Inquiétant" in page
    assert answered(after) == listed(SECOND)
    assert after["response"]["status"] == "amended"
    assert after["general"]["valueCodeableConcept"]["coding"][0]["code"] == "worrying"
    assert after["general"]["status"] == "amended"
    assert after["meal"]["status"] == "entered-in-error"
    assert said(after["note"]) == SECOND["note"]
    assert {encounter_of(tree) for name, tree in after.items() if name != "encounter"} == {
        f"Encounter/{before['encounter']['id']}"
    }
    path = f"QuestionnaireResponse/{after['response']['id']}/_history/1"
    assert sandbox.get(sandbox.token("gp"), path).json()["item"] == before["response"]["item"]


def test_the_amended_visit_is_one_line_of_the_doctor_s_page(sandbox: Running, form: Opened) -> None:
    first = {**FIRST, "note": "premier mot du matin", "meal": "meal-half"}
    form.send({**first, "weight": "72,5", "weight-checked": "yes"})
    corrected = {**SECOND, "note": "Une seule fois dite.", "breath": "breath-more"}
    form.send({**corrected, "weight": "73", "weight-checked": "yes"})

    with behind(sandbox, "gp") as browser:
        page = words(browser.get(f"/dossiers/{form.patient}"))
    news = page.split("Depuis votre dernier passage")[1]

    line = news.split("« Une seule fois dite. »")
    assert len(line) == 2
    told = line[0].rpartition("Visite à domicile")[2]
    assert "Comment va la personne ? Inquiétant" in told
    assert "Poids (kg) : 73" in told
    assert "Le souffle : Plus court" in told
    assert "73 kg" not in news
    assert "72,5" not in news
    assert "premier mot du matin" not in page


def test_a_raised_alert_is_raised_at_its_new_level_and_addressed_anew(sandbox: Running, form: Opened) -> None:
    form.send({"presence": "present", "general": "usual", "alert": "alert-house"})
    before = form.parts()["alert"]

    page = words(form.send(SECOND))

    after = form.parts()["alert"]
    assert after["id"] == before["id"]
    assert (before["code"]["coding"][0]["code"], after["code"]["coding"][0]["code"]) == ("YELLOW", "RED")
    assert after["priority"] != before["priority"]
    assert after["restriction"]["period"]["end"] < before["restriction"]["period"]["end"]
    assert "« Elle se tient la poitrine, « là ». »" in after["description"]
    assert "L'alerte est adressée à" in page
    for name in [after["owner"]["display"], *(one["display"] for one in after["restriction"].get("recipient", []))]:
        assert name in page


def test_an_alert_is_never_lowered_by_a_correction(form: Opened) -> None:
    form.send({"presence": "present", "general": "usual", "alert": ["alert-chest", "alert-house"]})
    before = form.parts()["alert"]

    form.send({"presence": "present", "general": "usual"})

    after = form.parts()["alert"]
    assert (after["status"], after["code"], after["owner"]) == (before["status"], before["code"], before["owner"])
    assert after["restriction"] == before["restriction"]
    assert len(after["input"]) == 2
    assert "Retiré à la correction" in after["description"]


def test_a_first_alert_may_come_with_the_correction(form: Opened) -> None:
    form.send({"presence": "present", "general": "usual"})
    page = words(form.send(SECOND))

    parts = form.parts()
    assert "L'alerte est adressée à" in page
    assert answered(parts) == listed(SECOND)
    assert parts["alert"]["code"]["coding"][0]["code"] == "RED"


def test_what_was_taken_back_may_be_said_again(form: Opened) -> None:
    for answers in ({**FIRST, "meal": "meal-half"}, FIRST, {**FIRST, "meal": "meal-half"}):
        assert answered(_sent(form, answers)) == listed(answers)

    meal = form.parts()["meal"]
    assert (meal["status"], meal["meta"]["versionId"]) == ("amended", "3")


def _sent(form: Opened, answers: Form) -> dict[str, Tree]:
    assert form.send(answers).status_code == 200
    return form.parts()


def test_a_correction_sent_twice_writes_once(form: Opened) -> None:
    form.send(FIRST)
    first = words(form.send(SECOND))
    before = form.parts()

    again = words(form.send(SECOND, appointment="", another="x"))  # another form for the guard of double touches

    assert form.parts() == before
    assert "Corrigé et envoyé" in first
    assert "Corrigé et envoyé" in again


def test_after_the_alert_was_seen_nothing_is_changed_and_both_are_shown(sandbox: Running, form: Opened) -> None:
    form.send(FIRST)
    instruct(sandbox, form.patient, form.parts()["alert"]["id"])
    before = form.parts()

    answer = form.send(SECOND)

    assert answer.status_code == 409
    assert form.parts() == before
    page = words(answer)
    assert "Tout est envoyé" not in page
    assert "Une visite est déjà enregistrée" in page
    assert "Comment va la personne ? Déjà enregistré : Comme d'habitude Vous avez écrit : Inquiétant" in page
    assert str(SECOND["note"]) in page
    assert "premier mot" in page

    sent = dict(_inputs(answer.text))
    kept = form.browser.post(
        f"/visite/{form.patient}",
        data={name: [v for n, v in _inputs(answer.text) if n == name] for name in sent},
        follow_redirects=True,
    )

    assert "Votre mot est envoyé" in words(kept)
    assert "L'alerte est adressée à" in words(kept)
    assert form.parts() == before
    added = Opened(sandbox, form.browser, form.patient, {"visit": sent["visit"]}).parts()
    assert set(added) == {"note", "alert"}
    text = said(added["note"])
    assert str(SECOND["note"]) in text
    assert "Inquiétant" in text
    assert added["alert"]["code"]["coding"][0]["code"] == "RED"
    assert (
        added["alert"]["encounter"]
        == added["note"]["context"]["encounter"][0]
        == {"reference": f"Encounter/{before['encounter']['id']}"}
    )


def _inputs(text: str) -> list[tuple[str, str]]:
    form = text.split('id="nouveau-mot"')[1].split("</form>")[0]
    return [(n, html.unescape(v)) for n, v in re.findall(r'name="([^"]*)" value="([^"]*)"', form)]


def test_what_somebody_else_corrected_meanwhile_is_not_overwritten(sandbox: Running, form: Opened) -> None:
    form.send({"presence": "present", "weight": "72", "weight-checked": "yes"})
    weight = form.parts()["weight"]
    token = sandbox.token("gp")
    changed = {**weight, "status": "corrected", "valueQuantity": {**weight["valueQuantity"], "value": 71}}
    given = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
    url = f"{sandbox.known['fhir']}/Observation/{weight['id']}"
    assert httpx.put(url, json=changed, headers=given, timeout=60).status_code == 200
    before = form.parts()

    answer = form.send({"presence": "present", "weight": "70", "weight-checked": "yes", "note": "pesée refaite"})

    assert answer.status_code == 409
    assert form.parts() == before
    assert "pesée refaite" in words(answer)


def test_another_aide_amends_nothing(sandbox: Running, form: Opened) -> None:
    form.send(FIRST)
    before = form.parts()
    with behind(sandbox, "home_service_manager") as phone:
        other = opened(sandbox, phone, form.patient)
        other.fields["visit"] = form.number
        answer = other.send(SECOND)

    assert form.parts() == before
    assert answer.status_code == 409
    assert "Tout est envoyé" not in words(answer)
    assert str(SECOND["note"]) in words(answer)


@pytest.mark.parametrize("first", ["aide", "home_service_manager"], ids=["of another person", "of the same person"])
def test_the_number_of_a_visit_that_one_does_not_see_is_one_s_own(sandbox: Running, first: str) -> None:
    """A form that stood on a shared phone, taken up by whoever signed in after."""
    guarded = patient_of(sandbox, "guarded")
    with behind(sandbox, first) as phone, behind(sandbox, "aide2") as later:
        filed = opened(sandbox, phone, patient_of(sandbox) if first == "aide" else guarded)
        filed.send(FIRST)
        before = filed.parts(first)
        other = opened(sandbox, later, guarded)
        other.fields["visit"] = filed.number
        page = words(other.send(SECOND))
        again = words(other.send(SECOND))

    assert "Tout est envoyé" in page
    assert page == again
    assert answered(other.parts("aide2")) == listed(SECOND)
    alert = before.pop("alert")
    for tree in before.values():
        assert sandbox.get(sandbox.token(first), f"{tree['resourceType']}/{tree['id']}").json() == tree
    # What two people notice of somebody is one alert: theirs is added to, and nothing of it is lost.
    now = sandbox.get(sandbox.token(first), f"Task/{alert['id']}").json()
    assert now["requester"] == alert["requester"]
    assert set(alert["description"].split("\n")) <= set(now["description"].split("\n"))
    assert [sign for sign in alert["input"] if sign not in now["input"]] == []
    if first == "aide":  # another person's
        assert now == alert


@pytest.mark.parametrize("same", [True, False], ids=["the same content", "two contents"])
def test_two_sends_at_once_keep_one_of_each(sandbox: Running, form: Opened, same: bool) -> None:
    with behind(sandbox, "aide") as phone:
        other = opened(sandbox, phone, form.patient)
        other.fields |= {"visit": form.number, "start": form.fields["start"]}
        with ThreadPoolExecutor(2) as both:
            sends = [both.submit(form.send, FIRST), both.submit(other.send, FIRST if same else SECOND)]
            pages = [words(one.result()) for one in sends]

    parts = form.parts()
    assert len({tree["id"] for tree in parts.values()}) == len(parts)
    held = answered(parts)
    assert held in ([listed(FIRST)] if same else [listed(FIRST), listed(SECOND)])
    assert versions(parts)["response"] == ("1" if same else "2")
    if not same:
        assert sum("Corrigé et envoyé" in page for page in pages) >= 1
        history = sandbox.get(sandbox.token("gp"), f"QuestionnaireResponse/{parts['response']['id']}/_history").json()
        kept = [answered({"response": entry["resource"]}) for entry in history["entry"]]
        assert len(kept) == 2
        assert listed(FIRST) in kept
        assert listed(SECOND) in kept


@pytest.mark.parametrize("days", [1, -2], ids=["in the future", "long ago"])
def test_a_visit_begins_neither_in_the_future_nor_long_ago(form: Opened, days: int) -> None:
    start = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")

    answer = form.send({**FIRST, "note": "gardé"}, start=start)

    assert answer.status_code == 400
    assert "Début de la visite" in words(answer)
    assert "gardé" in words(answer)
    assert form.parts() == {}
