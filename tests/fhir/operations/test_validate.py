"""$validate: every problem by its FHIRPath, as the request itself would be answered, and nothing of it stays."""

import json
from typing import Any

import pytest

from liaison.fhir.interactions import commit

from ...auth.access import territory as access
from .conftest import Territory, parameters

Tree = dict[str, Any]
WRONG: Tree = {
    "resourceType": "Observation",
    "status": "finished",
    "code": {"text": "x", "colour": "blue"},
    "effectiveDateTime": "2026-02-30",
}
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


async def issues(territory: Territory, caller: Any, path: str, body: Tree | None = None) -> list[Tree]:
    answer = await territory.ask(caller, "POST" if body is not None else "GET", path, body)
    assert answer.status == 200, answer.body
    outcome = json.loads(answer.body)
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"]  # type: ignore[no-any-return]  # JSON


async def stored(territory: Territory) -> list[Any]:
    """Everything that a write would leave behind."""
    counts = []
    for table in ("version", "directory_version", "patient", "identity_token", "access_grant", "relation", "shelf"):
        counts.append(await territory.database.reading.fetchval(f"select count(*) from {table}"))
    return counts


async def test_every_problem_is_listed_where_it_is(territory: Territory) -> None:
    gp = await territory.person("gp")
    found = await issues(territory, gp.caller, "Observation/$validate", WRONG)

    assert {one["expression"][0] for one in found} == {
        "Observation.status", "Observation.code", "Observation.effective"} | {
        one["expression"][0] for one in found if one["expression"][0].startswith("Observation.code")}  # fmt: skip
    assert all(one["severity"] == "error" for one in found)
    assert "finished" not in json.dumps(found)  # no value is repeated


async def test_what_is_right_is_said_to_be(territory: Territory) -> None:
    gp = await territory.person("gp")
    [one] = await issues(territory, gp.caller, "Patient/$validate", {"resourceType": "Patient", "active": True})

    assert one["severity"] == "information"


async def test_of_another_type_than_the_url(territory: Territory) -> None:
    gp = await territory.person("gp")
    [one] = await issues(territory, gp.caller, "Patient/$validate", WRONG)

    assert one["expression"] == ["resourceType"]


@pytest.mark.parametrize("mode", ["create", ""])
async def test_nothing_is_stored(territory: Territory, mode: str) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    before = await stored(territory)
    for type_, tree in (("Observation", access.item(patient)), ("Patient", {"resourceType": "Patient"})):
        query = f"?mode={mode}" if mode else ""
        [one] = await issues(territory, gp.caller, f"{type_}/$validate{query}", tree)
        assert one["severity"] == "information"

    assert await stored(territory) == before
    patients = set(territory.store.vault._patients)
    known = {row[0] for row in await territory.database.reading.fetch("select patient from patient")}
    assert patients <= known


async def test_the_first_trial_of_a_month_leaves_its_shelf(territory: Territory) -> None:
    """The key of a shelf that was only in memory would be lost with the process, and all it wraps with it."""
    gp = await territory.person("gp")
    vault = territory.store.vault
    vault._current = ("2001-01", vault._current[1])
    await issues(territory, gp.caller, "Patient/$validate?mode=create", {"resourceType": "Patient"})
    await territory.patient(gp)

    orphans = "select count(*) from patient p where not exists (select from shelf s where s.shelf = p.shelf)"
    assert await territory.database.reading.fetchval(orphans) == 0
    assert vault._current[0] != "2001-01"


async def test_a_trial_that_stayed_would_be_seen(territory: Territory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: with the rolling back gone, the count of rows tells."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    before = await stored(territory)
    real = commit.commit

    async def careless(*args: Any, also: Any = None, **more: Any) -> None:
        await real(*args, **more)

    monkeypatch.setattr("liaison.fhir.operations.validate.commit", careless)
    await territory.ask(gp.caller, "POST", "Observation/$validate?mode=create", access.item(patient))

    assert await stored(territory) != before


@pytest.mark.parametrize("mode", ["", "?mode=create"])
async def test_what_of_a_narrative_would_not_be_stored_is_told(territory: Territory, mode: str) -> None:
    gp = await territory.person("gp")
    weight = access.item(await territory.patient(gp), **access.vital())
    for inside, told in (("Poids", "information"), ("Poids<script>1</script>", "warning"), (" ", "warning")):
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
        sent = {**weight, "text": {"status": "generated", "div": div}}
        [one] = await issues(territory, gp.caller, f"Observation/$validate{mode}", sent)
        assert one["severity"] == told
        assert one.get("expression", ["Observation.text"]) == ["Observation.text"]


@pytest.mark.parametrize("mode", ["create", "update", "delete"])
async def test_the_answer_is_that_of_the_request(territory: Territory, mode: str) -> None:
    """Accepted or refused, for the same reasons, in the same words."""
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient = await territory.patient(gp, aide)
    stranger = await territory.patient(await territory.person("gp"))
    weight = await territory.create(gp.caller, access.item(patient, **access.vital()))
    tree = await territory.tree(weight)
    for caller in (gp.caller, aide.caller):
        for changed in (
            {},
            {"subject": {"reference": stranger.reference}},
            {"focus": [{"reference": stranger.reference}]},
            {"encounter": {"reference": "Encounter/0123456789abcdef0123456789abcdef"}},
            {"status": "nonsense"},
            {"meta": {**tree["meta"], "tag": [SUBSETTED]}},
        ):
            sent = {**tree, **changed}
            path = "Observation/$validate" if mode == "create" else f"{weight}/$validate"
            answer = await territory.ask(caller, "POST", f"{path}?mode={mode}", sent)
            method = {"create": "POST", "update": "PUT", "delete": "DELETE"}[mode]
            where = "Observation" if mode == "create" else weight
            if mode == "delete" and answer.status == 200 and b'"error"' not in answer.body:
                continue  # the request itself would take away what comes after
            real = await territory.ask(caller, method, where, None if mode == "delete" else sent)
            if answer.status == 404:  # what the caller cannot see is not looked into
                assert real.status == 404 or changed.keys() & {"status", "meta"}
                continue
            found = json.loads(answer.body)["issue"]
            refused = [one for one in found if one["severity"] == "error"]
            assert (real.status < 300) is not bool(refused), (changed, found, real.body)
            if refused:
                assert json.loads(real.body)["issue"] == found
            tree = await territory.tree(weight)


async def test_hidden_is_absent_in_every_mode(territory: Territory) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    patient = await territory.patient(other)
    hidden = await territory.item(patient)
    absent = f"Observation/{'0123456789abcdef' * 2}"
    for mode in ("", "update", "delete", "no-action", "profile"):
        answers = []
        for reference in (hidden, absent):
            body = {**access.item(patient), "id": reference.split("/")[1]}
            answers.append(
                await territory.ask(
                    gp.caller, "POST", f"{reference}/$validate?mode={mode}".removesuffix("?mode="), body
                )
            )
            answers.append(await territory.ask(gp.caller, "GET", f"{reference}/$validate"))
        assert {(one.status, one.body) for one in answers} == {(404, answers[0].body)}
    for mode in ("create",):
        found = []
        for reference in (patient.reference, f"Patient/{'0123456789abcdef' * 2}"):
            body = {**access.item(patient), "subject": {"reference": reference}}
            answer = await territory.ask(gp.caller, "POST", f"Observation/$validate?mode={mode}", body)
            found.append((answer.status, answer.body.replace(reference.encode(), b"REFERENCE")))
        assert found[0] == found[1]


async def test_what_is_stored_can_be_looked_over(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.item(patient)
    answer = await territory.ask(gp.caller, "GET", f"{weight}/$validate")

    assert answer.status == 200
    assert [one.key for one in answer.disclosed] == [territory.key(weight)]


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("Observation/$validate?mode=guess", WRONG, "mode"),
        ("Observation/$validate?profile=https://example.org/profile", WRONG, "profile"),
        ("Observation/$validate?mode=update", WRONG, "mode"),
        ("Observation/$validate?mode=delete", WRONG, "mode"),
        ("Observation/$validate", parameters(mode__valueCode="create"), "resource"),
        ("Observation/$validate", parameters(nonsense__valueCode="create"), "nonsense"),
    ],
)
async def test_what_cannot_be_asked_is_named(territory: Territory, path: str, body: Tree, named: str) -> None:
    gp = await territory.person("gp")
    answer = await territory.refused(gp.caller, "POST", path, body)

    assert answer.status == 400
    assert f"'{named}'".encode() in answer.body


@pytest.mark.parametrize("said", [["Observation"], {}, [], {"a": 1}, 3, None], ids=str)
async def test_a_type_that_is_no_word_is_told(territory: Territory, said: Any) -> None:
    gp = await territory.person("gp")

    [first, *_] = await issues(territory, gp.caller, "Observation/$validate", {"resourceType": said, "status": "final"})

    assert first["severity"] == "error"


async def test_the_base_profile_is_known(territory: Territory) -> None:
    gp = await territory.person("gp")
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    [one] = await issues(territory, gp.caller, f"Patient/$validate?profile={base}", {"resourceType": "Patient"})

    assert one["severity"] == "information"


async def test_scopes_bound_the_trial(territory: Territory) -> None:
    gp = await territory.person("gp")
    reader = territory.scoped(gp.caller, "user/*.rs")
    tree = {"resourceType": "Patient"}

    assert (await territory.ask(reader, "POST", "Patient/$validate?mode=create", tree)).status == 403
    assert (await territory.ask(reader, "POST", "Patient/$validate", tree)).status == 200
