"""The day of a death shortens how long a record is kept: a health professional writes it, whoever else keeps the identity does not."""

from typing import Any

import pytest

from liaison.auth.access import deaths
from liaison.auth.access.roles import ROLES
from liaison.fhir.errors import Forbidden

from . import arrivals
from .pieces import Tree

DIED: Tree = {"deceasedDateTime": "2026-11-02"}
PERSON: Tree = {"resourceType": "Patient", "name": [{"family": "Morte"}], "birthDate": "1950-01-01"}


async def both(territory: Any) -> tuple[Any, Any, Any]:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    return gp, secretary, await territory.patient(gp)


async def test_a_secretary_says_that_somebody_is_dead_and_not_since_when(territory: Any) -> None:
    gp, secretary, patient = await both(territory)
    assert (await territory.change(secretary.caller, patient.reference, **DIED)).status == 403
    assert (await territory.change(secretary.caller, patient.reference, deceasedBoolean=True)).status == 200
    tree = await territory.tree(patient.reference, gp.caller)
    del tree["deceasedBoolean"]
    written = await territory.ask(gp.caller, "PUT", patient.reference, {**tree, **DIED})
    assert written.status == 200, written.body


async def test_nor_takes_it_away_nor_changes_it_and_may_change_the_rest(territory: Any) -> None:
    gp, secretary, patient = await both(territory)
    assert (await territory.change(gp.caller, patient.reference, **DIED)).status == 200
    tree = await territory.tree(patient.reference, secretary.caller)
    for other in ({**tree, "deceasedDateTime": "2006-11-02"}, {k: v for k, v in tree.items() if k not in DIED}):
        assert (await territory.ask(secretary.caller, "PUT", patient.reference, other)).status == 403
    assert (await territory.change(secretary.caller, patient.reference, gender="female")).status == 200


async def test_nor_with_a_new_record_by_whichever_way(territory: Any) -> None:
    gp, secretary, _ = await both(territory)
    assert (await territory.ask(secretary.caller, "POST", "Patient", {**PERSON, **DIED})).status == 403
    stated = arrivals.parameters(arrivals.traits("MORTE", **DIED), informed="oral")
    assert (await territory.ask(secretary.caller, "POST", "Patient/$register", stated)).status == 403
    assert (await territory.ask(gp.caller, "POST", "Patient", {**PERSON, **DIED})).status == 201


@pytest.mark.parametrize("code", sorted(ROLES))
def test_each_role(code: str) -> None:
    def allowed() -> bool:
        try:
            deaths.check(code, {**PERSON, **DIED})
        except Forbidden:
            return False
        return True

    assert allowed() is (ROLES[code].category == "health" or code == "substitute")
