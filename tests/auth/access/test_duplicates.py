"""$duplicates and $tell-apart: who keeps both identities is shown them; nobody learns of anyone else."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from .arrivals import parameters, registered, said, traits
from .test_merging import merged

pytestmark = pytest.mark.alone

Tree = dict[str, Any]
BARE = {name: value for name, value in traits().items() if name != "identifier"}


async def asked(territory: Any, who: Any) -> list[tuple[str, str, str, bool]]:
    answer = await territory.ask(who.caller, "POST", "Patient/$duplicates", None)
    assert answer.status == 200, answer.body
    found = []
    for pair in json.loads(answer.body).get("parameter", []):
        parts = {part["name"]: next(v for name, v in part.items() if name != "name") for part in pair["part"]}
        found.append(
            (parts["patient"]["reference"], parts["other-patient"]["reference"], parts["likeness"], parts["distinct"])
        )
    return found


async def told_apart(territory: Any, who: Any, one: str, other: str) -> Any:
    parts = [
        {"name": name, "valueReference": {"reference": reference}}
        for name, reference in (("patient", one), ("other-patient", other))
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    return await territory.ask(who.caller, "POST", "Patient/$tell-apart", body)


async def reviews(territory: Any, auditor: Any, patient: str, kind: str) -> list[Tree]:
    ids = await territory.search(auditor.caller, f"Task?patient={patient}&code={vocabulary.REVIEW}|{kind}")
    return [await territory.tree(f"Task/{one.rpartition('/')[2]}", auditor.caller) for one in ids]


async def test_two_records_of_the_same_traits_are_proposed_and_told_apart(territory: Any) -> None:
    gp, auditor = await territory.person("gp"), await territory.mandated()
    one = await registered(territory, gp)
    other = (await territory.patient(gp, **BARE)).reference
    assert [{*pair[:2], *pair[2:]} for pair in await asked(territory, gp)] == [{one, other, "same-traits", False}]

    answer = await told_apart(territory, gp, one, other)

    assert said(answer) == {"result": "distinct"}
    assert [pair[3] for pair in await asked(territory, gp)] == [True]
    numbers = set()
    for mine in (one, other):
        (line,) = await reviews(territory, auditor, mine, "distinct")
        assert (line["for"]["reference"], line["status"]) == (mine, "completed")
        numbers.add(line["identifier"][0]["value"])
    assert len(numbers) == 1
    assert (await told_apart(territory, gp, other, one)).status == 409
    assert (await told_apart(territory, gp, one, one)).status == 400
    # It was a mistake: they are one person.
    assert (await merged(territory, gp, other, one)).status == 200
    assert await asked(territory, gp) == []
    assert (await told_apart(territory, gp, one, other)).status == 409


async def test_a_double_whose_other_record_is_hidden_is_not_proposed(territory: Any) -> None:
    gp, elsewhere, both = [await territory.person("gp") for _ in range(3)]
    mine = (await territory.patient(gp, both, **BARE)).reference
    theirs = (await territory.patient(elsewhere, both, **BARE)).reference

    assert await asked(territory, gp) == await asked(territory, elsewhere) == []
    assert [{*pair[:2]} for pair in await asked(territory, both)] == [{mine, theirs}]
    assert (await told_apart(territory, gp, mine, theirs)).status == 404
    assert [pair[3] for pair in await asked(territory, both)] == [False]


async def test_who_opened_a_double_by_mistake_merges_it(territory: Any) -> None:
    """The commonest one: somebody enters a person anew, and nobody is on the team of that record (row 28)."""
    gp = await territory.person("gp")
    one = await registered(territory, gp)
    other = f"Patient/{json.loads((await territory.ask(gp.caller, 'POST', 'Patient', BARE)).body)['id']}"
    assert [{*pair[:2]} for pair in await asked(territory, gp)] == [{one, other}]
    assert (await merged(territory, gp, other, one)).status == 200
    assert await asked(territory, gp) == []


async def test_the_person_reads_in_their_journal_that_two_were_told_apart_but_not_from_whom(territory: Any) -> None:
    gp = await territory.person("gp")
    one = await territory.patient(gp, **BARE)
    other = (await territory.patient(gp, **BARE)).reference
    assert (await told_apart(territory, gp, one.reference, other)).status == 200
    herself = await territory.as_oneself(one.reference)
    (found,) = await territory.search(herself, f"Task?code={vocabulary.REVIEW}|distinct")
    line = await territory.tree(found, herself)
    assert other not in json.dumps(line)
    assert line["for"]["reference"] == one.reference


async def test_who_keeps_no_identities_is_proposed_nothing(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    one, other = [(await territory.patient(gp, aide, **BARE)).reference for _ in range(2)]
    assert (await territory.ask(aide.caller, "POST", "Patient/$duplicates", None)).status == 403
    assert (await told_apart(territory, aide, one, other)).status == 403


@pytest.mark.parametrize("decided", ["merge", "distinct"])
async def test_the_doubt_that_a_collision_opened_is_settled_by_either_decision(territory: Any, decided: str) -> None:
    gp, auditor = await territory.person("gp"), await territory.mandated()
    one = await registered(territory, gp)
    other = (await territory.patient(gp, **BARE)).reference
    identified = parameters(traits(), status="QUAL")
    assert said(await territory.ask(gp.caller, "POST", f"{other}/$identify", identified))["result"] == "duplicate"
    assert [line["status"] for line in await reviews(territory, auditor, other, "duplicate")] == ["requested"]

    answer = await (merged if decided == "merge" else told_apart)(territory, gp, other, one)

    assert answer.status == 200, answer.body
    (line,) = await reviews(territory, auditor, other, "duplicate")
    assert line["status"] == "completed"
    assert line["businessStatus"]["coding"][0]["code"] == decided
