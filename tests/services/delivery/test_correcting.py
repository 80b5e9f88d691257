"""« Corriger » from a telephone: the same visit, told anew by its author; what cannot be corrected by itself waits for a person."""

from datetime import timedelta
from typing import Any

import pytest

from liaison.services.pages.clock import PARIS
from liaison.services.pages.reading.written import text_of

from ..running_sandbox import Running
from .telephone import Telephone, person
from .test_bringing import encounters
from .test_tray import cards, decide

pytestmark = pytest.mark.http


def filed(telephone: Telephone, **changes: Any) -> dict[str, Any]:
    letter = telephone.letter(telephone.someone, **changes)
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    return letter


def correction(telephone: Telephone, first: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What is typed over the first telling: an answer of [] is taken away."""
    form = {**first["form"], **changes.pop("form", {})}
    letter = telephone.letter(telephone.someone, corrects=first["visit"], **changes)
    return {**letter, "form": {name: values for name, values in form.items() if values}}


def notes(territory: Running, encounter: dict[str, Any]) -> dict[str, str]:
    """The words to the team at that visit, with the status of each."""
    query = f"DocumentReference?encounter=Encounter/{encounter['id']}"
    found = territory.get(territory.token("home_service_manager"), query).json().get("entry", [])
    return {text_of(one["resource"]): one["resource"]["status"] for one in found}


def test_a_correction_is_a_new_version_of_the_same_visit(telephone: Telephone, sandbox: Running) -> None:
    first = filed(telephone, form={"note": ["Trois verres."], "weight": ["61"]})
    [before] = encounters(sandbox, first["visit"])
    second = correction(telephone, first, form={"note": ["Quatre verres."], "weight": [], "meal": ["meal-half"]})
    parcel = telephone.parcel(second)
    receipt = telephone.bring(parcel).json()
    assert receipt["state"] == "filed", receipt
    assert telephone.bring(parcel).json() == receipt

    assert encounters(sandbox, second["visit"]) == []
    [after] = encounters(sandbox, first["visit"])
    assert after["id"] == before["id"]
    assert after["period"] == before["period"]  # she did not touch the hour
    assert notes(sandbox, after) == {"Quatre verres.": "current"}
    token = sandbox.token("home_service_manager")
    [response] = sandbox.get(token, f"QuestionnaireResponse?encounter=Encounter/{after['id']}").json()["entry"]
    assert response["resource"]["status"] == "amended"
    assert response["resource"]["author"]["reference"] == person(sandbox, "aide")["practitioner_role"]
    weights = sandbox.get(token, f"Observation?encounter=Encounter/{after['id']}&code=29463-7").json()["entry"]
    assert [one["resource"]["status"] for one in weights] == ["entered-in-error"]


def test_it_may_be_corrected_again_and_again(telephone: Telephone, sandbox: Running) -> None:
    first = filed(telephone)
    for words in ("Un.", "Deux."):
        again = correction(telephone, first, form={"note": [words]})
        assert telephone.bring(telephone.parcel(again)).json()["state"] == "filed"
    [encounter] = encounters(sandbox, first["visit"])
    assert "Deux." in notes(sandbox, encounter)


def test_an_hour_that_she_typed_is_of_the_day_of_the_visit(telephone: Telephone, sandbox: Running) -> None:
    began = telephone.now().astimezone(PARIS) - timedelta(minutes=10)
    other = began.replace(minute=began.minute ^ 1)  # of the same day, at whatever hour this runs
    first = filed(telephone, form={"start": [f"{began:%H:%M}"]}, start_typed=True)
    [before] = encounters(sandbox, first["visit"])
    second = correction(telephone, first, form={"start": [f"{other:%H:%M}"]}, start_typed=True)
    assert telephone.bring(telephone.parcel(second)).json()["state"] == "filed"
    [after] = encounters(sandbox, first["visit"])
    assert after["period"]["start"] == before["period"]["start"].replace(f"T{began:%H:%M}", f"T{other:%H:%M}")


@pytest.mark.parametrize("why", ["no such visit", "somebody else's", "another person's", "a day later"])
def test_what_cannot_be_corrected_by_itself_waits_for_a_person(
    telephone: Telephone, manager: Telephone, sandbox: Running, why: str
) -> None:
    words = f"Corrigé : {why}."
    first = filed(telephone)
    if why == "somebody else's":
        telephone.sign_in(person(sandbox, "aide2"))
        assert telephone.fetch().status_code == 200
    second = correction(telephone, first, form={"note": [words]})
    if why == "no such visit":
        second["corrects"] = second["visit"]
    if why == "another person's":
        second["patient"] = next(
            one["patient"] for one in telephone.tour["stops"] if one["patient"] != first["patient"]
        )
    if why == "a day later":
        second["written"] = (telephone.now() + timedelta(hours=25)).isoformat()
    assert telephone.bring(telephone.parcel(second)).json()["state"] == "checking"
    [encounter] = encounters(sandbox, first["visit"])
    assert notes(sandbox, encounter) == {}
    assert len(cards(manager, words)) == 1


def test_whoever_empties_the_tray_adds_it_to_the_visit_and_makes_no_other(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    words = "Elle est tombée hier soir, je l'avais oublié."
    first = filed(telephone)
    second = correction(telephone, first, form={"note": [words]}, permit="AAAA")
    assert telephone.bring(telephone.parcel(second)).json()["state"] == "checking"
    [card] = cards(manager, words)
    assert decide(manager, card, "file").status_code == 303
    [encounter] = encounters(sandbox, first["visit"])
    [told] = notes(sandbox, encounter)
    assert told.startswith("À propos de la visite")
    assert words in told
    assert encounters(sandbox, second["visit"]) == []
