"""What nobody writes for another: that something was verified."""

from typing import Any

import pytest

from liaison.auth.access import signing

from .pieces import Tree, moment


def signature(item: str, who: Tree) -> Tree:
    agent = {"type": {"coding": [signing.VERIFIER]}, "who": who}
    return {"resourceType": "Provenance", "target": [{"reference": item}], "recorded": moment(), "agent": [agent]}


async def test_a_verifier_is_who_writes_it(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    item = await territory.create(nurse.caller, territory.item_of(patient, "Condition"))

    by_number = {"identifier": {"system": "https://rpps.esante.gouv.fr", "value": "10100000008"}}
    for forged in ({"reference": gp.role}, {"reference": gp.practitioner}, by_number, {"display": "Dr Guillemot"}):
        refused = await territory.ask(nurse.caller, "POST", "Provenance", signature(item, forged))
        assert (refused.status, b"in your own name" in refused.body) == (422, True), refused.body
    for own in (nurse.role, nurse.practitioner):
        made = await territory.create(nurse.caller, signature(item, {"reference": own}))
        forged_agent = signature(item, {"reference": gp.role})["agent"]
        assert (await territory.change(nurse.caller, made, agent=forged_agent)).status == 422
    theirs = await territory.create(gp.caller, signature(item, {"reference": gp.role}))
    assert (await territory.change(gp.caller, theirs, language="fr")).status == 200
    # Software says what its people did; an author is named for another as ever.
    await territory.create(territory.system, signature(item, {"reference": gp.role}))
    author = signature(item, {"reference": gp.role})
    author["agent"][0].pop("type")
    await territory.create(nurse.caller, author)


async def test_without_the_check_one_verifies_in_another_s_name(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "_check_verifier", lambda *_: None)
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    item = await territory.create(nurse.caller, territory.item_of(patient, "Condition"))
    await territory.create(nurse.caller, signature(item, {"reference": gp.role}))
