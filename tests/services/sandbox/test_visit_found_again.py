"""From the day's page back to a visit that was sent: what was forgotten is written where it belongs."""

from collections.abc import Iterator

import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden
from .home_visit import FIRST, Opened, answered, opened, patient_of, start_of, words

pytestmark = pytest.mark.http


@pytest.fixture
def form(sandbox: Running) -> Iterator[Opened]:
    with behind(sandbox, "aide") as browser:
        yield opened(sandbox, browser, patient_of(sandbox))


def test_the_day_leads_back_to_a_visit_that_was_sent(sandbox: Running, form: Opened) -> None:
    """What was forgotten is added where it belongs: the same visit, filled in as it was sent."""
    assert form.send(FIRST).status_code in (200, 303)
    sent = form.parts()
    day = form.browser.get("/aujourdhui").text
    address = f"/visite/{form.patient}?visite={sent['encounter']['id']}"
    assert address in day

    page = form.browser.get(address)

    assert page.status_code == 200
    assert hidden(page.text, "visit") == form.number
    assert "est déjà envoyée" in words(page)
    fields = {name: hidden(page.text, name) for name in ("csrf", "visit", "appointment")} | start_of(page.text)
    again = Opened(sandbox, form.browser, form.patient, fields)
    again.send({**FIRST, "note": "Complété le soir."})
    corrected = form.parts()
    assert answered(corrected)["note"] == "Complété le soir."
    assert corrected["encounter"].get("appointment") == sent["encounter"].get("appointment")
    assert corrected["encounter"]["period"]["start"] == sent["encounter"]["period"]["start"]


def test_no_address_opens_the_visit_of_another_person(sandbox: Running, form: Opened) -> None:
    form.send(FIRST)
    sent, other = form.parts()["encounter"]["id"], patient_of(sandbox, "heart")

    assert form.browser.get(f"/visite/{form.patient}?visite={sent}").status_code == 200
    assert form.browser.get(f"/visite/{other}?visite={sent}").status_code == 404
    assert form.browser.get(f"/visite/{form.patient}?visite=unknown").status_code == 404
