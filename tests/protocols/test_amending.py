"""A recorded visit that its author tells anew: what is replaced, what is taken back, and when it may not be."""

from base64 import b64decode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from liaison.protocols import library
from liaison.protocols.alerts import WITHDRAWN, level_of
from liaison.protocols.amending import (
    Obstacle,
    Recorded,
    amendment,
    answers_of,
    by_part,
    obstacle,
    same_answers,
    says,
)
from liaison.protocols.answers import Answer
from liaison.protocols.filing import part
from liaison.protocols.visit import Visit, addition, transaction

Tree = dict[str, Any]
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 10, 21, tzinfo=PARIS)
AIDE = {"reference": "PractitionerRole/aide", "display": "Sylvie"}
OTHER = {"reference": "PractitionerRole/other"}
LIBRARY = library.shipped()
ROLE = "https://liaison.example/fhir/CodeSystem/role"
TEAM = {
    "resourceType": "CareTeam",
    "status": "active",
    "participant": [
        {"role": [{"coding": [{"system": ROLE, "code": code}]}], "member": {"reference": f"PractitionerRole/{code}"}}
        for code in ("nurse", "home-service-manager", "gp")
    ],
}
EVERYTHING: dict[str, Answer] = {
    "start": "2026-11-23T09:40:00+01:00",
    "end": "2026-11-23T10:20:00+01:00",
    "presence": "present",
    "tasks": ["wash", "bed"],
    "general": "usual",
    "meal": "meal-half",
    "breath": "unknown",
    "weight": 72.5,
    "pain": 3,
    "note": "Bien.",
    "alert": ["alert-house"],
}


def visit(answers: dict[str, Answer], **more: Any) -> Visit:
    made = Visit(
        id=UUID(int=7),
        patient="Patient/1",
        aide=AIDE,
        service={"reference": "Organization/ccas"},
        answers=answers,
        recorded=NOW,
        appointment="Appointment/3",
        teams=[TEAM],
    )
    return replace(made, **more)


def recorded(bundle: Tree, before: Recorded | None = None) -> Recorded:
    """What a store holds after a transaction: ids in the place of urns, versions counted."""
    ids = {entry["fullUrl"]: _reference(entry["resource"]) for entry in bundle["entry"]}
    trees = dict(before.parts) if before else {}
    for entry in bundle["entry"]:
        tree = _resolved(entry["resource"], ids)
        name = part(tree)[1]
        version = int(trees[name]["meta"]["versionId"]) + 1 if name in trees else 1
        if name in trees:
            assert entry["request"] == {
                "method": "PUT",
                "url": _reference(trees[name]),
                "ifMatch": f'W/"{trees[name]["meta"]["versionId"]}"',
            }
        kept = {**tree.get("meta", {}), "versionId": str(version), "lastUpdated": NOW.isoformat()}
        trees[name] = {**tree, "id": name, "meta": kept}
    return Recorded(by_part(UUID(int=7), trees.values()), NOW)


def _reference(tree: Tree) -> str:
    return f"{tree['resourceType']}/{part(tree)[1]}"


def _resolved(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


FILED = recorded(transaction(LIBRARY, visit(EVERYTHING)))


def amended(answers: dict[str, Answer], before: Recorded = FILED) -> Recorded:
    return recorded(amendment(LIBRARY, visit(answers), before), before)


def test_a_form_is_read_back_as_it_was_answered() -> None:
    assert FILED.response is not None
    assert answers_of(LIBRARY, FILED.response) == EVERYTHING


def test_the_same_answers_write_nothing() -> None:
    later = visit({**EVERYTHING, "tasks": ["bed", "wash"]}, recorded=NOW + timedelta(hours=2), teams=[])

    assert amendment(LIBRARY, later, FILED)["entry"] == []
    assert same_answers(EVERYTHING, later.answers)


def test_only_what_differs_is_written() -> None:
    bundle = amendment(LIBRARY, visit({**EVERYTHING, "weight": 73.5}), FILED)

    *written, provenance = [entry["resource"] for entry in bundle["entry"]]
    assert [part(one)[1] for one in written] == ["response", "weight"]
    assert {one["status"] for one in written} == {"amended"}
    assert provenance["activity"]["coding"][0]["code"] == "UPDATE"
    assert provenance["target"] == [{"reference": f"{one['resourceType']}/{one['id']}"} for one in written]
    assert "ifNoneExist" not in bundle["entry"][-1]["request"]


def test_what_is_no_longer_said_is_entered_in_error_and_may_be_said_again() -> None:
    fewer = {link: answer for link, answer in EVERYTHING.items() if link not in ("meal", "note")}

    after = amended(fewer)
    assert {name for name, tree in after.parts.items() if tree["status"] == "entered-in-error"} == {"meal", "note"}
    assert obstacle(LIBRARY, after, AIDE, NOW) is None
    again = amended(EVERYTHING, after)
    assert "entered-in-error" not in {tree["status"] for tree in again.parts.values()}
    assert again.parts["meal"]["meta"]["versionId"] == "3"


def test_nobody_was_there_after_all() -> None:
    after = amended({"start": EVERYTHING["start"], "presence": "door-closed"})

    assert after.parts["encounter"]["status"] == "cancelled"
    assert after.parts["weight"]["status"] == "entered-in-error"


@pytest.mark.parametrize("name", sorted(FILED.parts.keys() - {"alert", "response"}))
def test_the_form_says_each_part_before_and_after_a_correction(name: str) -> None:
    after = amended({**EVERYTHING, "general": "worrying", "weight": 70, "note": "Mal."})

    for kept in (FILED, after):
        assert kept.response is not None
        assert says(LIBRARY, kept.response, kept.parts[name])
        assert not says(LIBRARY, kept.response, {**kept.parts[name], "text": {"status": "additional"}})
        assert not says(LIBRARY, {**kept.response, "item": []}, kept.parts[name])


def test_a_higher_level_takes_over_people_and_delay_and_withdrawn_signs_stay() -> None:
    before = FILED.parts["alert"]

    after = amended({**EVERYTHING, "alert": ["alert-chest"]}).parts["alert"]

    fresh = recorded(transaction(LIBRARY, visit({**EVERYTHING, "alert": ["alert-chest"]}))).parts["alert"]
    assert (level_of(before), level_of(after)) == ("YELLOW", "RED")
    for name in ("owner", "restriction", "priority", "performerType", "code", "instantiatesCanonical"):
        assert after[name] == fresh[name]
    assert after["description"].split("\n")[-1] == f"{WITHDRAWN}Problème dans le logement"
    assert len(after["input"]) == len(fresh["input"]) + 1


def test_an_alert_is_never_lowered() -> None:
    red = recorded(transaction(LIBRARY, visit({**EVERYTHING, "alert": ["alert-chest", "alert-house"]})))

    for alert in (["alert-house"], None):
        answers = {link: answer for link, answer in EVERYTHING.items() if link != "alert"}
        after = amended(answers | ({"alert": alert} if alert else {}), red).parts["alert"]
        for name in ("status", "owner", "restriction", "priority", "code"):
            assert after[name] == red.parts["alert"][name]
        assert f"{WITHDRAWN}Douleur dans la poitrine" in after["description"].split("\n")
        assert after["note"][-1]["text"] == "Corrigé par l'auteur de l'alerte"


def changed(name: str, **more: Any) -> Recorded:
    return Recorded({**FILED.parts, name: {**FILED.parts[name], **more}}, NOW)


@pytest.mark.parametrize(
    ("kept", "by", "at", "why"),
    [
        (FILED, AIDE, NOW + timedelta(hours=23, minutes=59), None),
        (FILED, AIDE, NOW + timedelta(hours=24, seconds=1), Obstacle.LATE),
        (FILED, OTHER, NOW, Obstacle.AUTHOR),
        (Recorded({"encounter": FILED.encounter}, NOW), AIDE, NOW, Obstacle.AUTHOR),
        (changed("alert", status="in-progress"), AIDE, NOW, Obstacle.SEEN),
        (changed("alert", status="completed"), AIDE, NOW, Obstacle.SEEN),
        (changed("alert", output=[{"type": {"text": "Consigne"}}]), AIDE, NOW, Obstacle.SEEN),
        (changed("weight", valueQuantity={"value": 71}), AIDE, NOW, Obstacle.CHANGED),
        (changed("weight", status="entered-in-error"), AIDE, NOW, Obstacle.CHANGED),
        (changed("note", note=[{"text": "Vu."}]), AIDE, NOW, Obstacle.CHANGED),
        (changed("encounter", status="cancelled"), AIDE, NOW, Obstacle.CHANGED),
        (changed("response", item=[]), AIDE, NOW, Obstacle.CHANGED),
        (
            Recorded({name: tree for name, tree in FILED.parts.items() if name != "meal"}, NOW),
            AIDE,
            NOW,
            Obstacle.CHANGED,
        ),
    ],
    ids=[
        "just in time", "a day later", "another author", "answers not seen", "seen", "closed", "answered",
        "a value corrected", "a value withdrawn", "a comment added", "a visit cancelled", "answers emptied", "deleted",
    ],
)  # fmt: skip
def test_what_stands_in_the_way(kept: Recorded, by: Tree, at: datetime, why: Obstacle | None) -> None:
    assert obstacle(LIBRARY, kept, by, at) is why


def test_a_word_added_raises_only_the_signs_that_were_not_told() -> None:
    number = UUID(int=8)
    typed = visit({**EVERYTHING, "alert": ["alert-chest", "alert-house"]}, id=number)

    bundle = addition(LIBRARY, typed, "Encounter/encounter", "À propos de la visite.", EVERYTHING)
    note, alert, provenance = (entry["resource"] for entry in bundle["entry"])
    assert b64decode(note["content"][0]["attachment"]["data"]).decode() == "À propos de la visite."
    assert [one["reference"] for one in provenance["target"]] == [entry["fullUrl"] for entry in bundle["entry"][:2]]
    assert [sign["valueCodeableConcept"]["text"] for sign in alert["input"]] == ["Douleur dans la poitrine"]
    assert {note["context"]["encounter"][0]["reference"], alert["encounter"]["reference"]} == {"Encounter/encounter"}
    silent = addition(LIBRARY, visit(EVERYTHING, id=number), "Encounter/e", "Mot.", EVERYTHING)["entry"]
    assert [one["resource"]["resourceType"] for one in silent] == ["DocumentReference", "Provenance"]
