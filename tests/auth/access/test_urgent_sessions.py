"""What our pages hold open in an emergency: found again by who opened it, in that role, and by nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from liaison.auth.access import emergency, urgent_sessions
from liaison.auth.caller import Caller
from liaison.auth.sessions import BROWSER
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.model import read

from . import arrivals

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]
REASON = "Trouvée inconsciente, ne peut répondre"


async def on_pages(territory: Any, person: Any, account: int) -> Caller:
    """Their browser session: of an account, unlike what tests sign in as."""
    key = territory.key(person.practitioner)
    await territory.database.writing.execute(
        "insert into account (account, username, fhir_kind, fhir_patient, fhir_res) values ($1, $2, $3, $4, $5)",
        account,
        f"person-{account}",
        key.kind,
        key.patient,
        key.res,
    )
    caller: Caller = person.caller
    return replace(caller, account=account)


async def opened(territory: Any, patient: Tree | None = None) -> tuple[Caller, emergency.Opened]:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    await arrivals.registered(territory, gp)
    caller, base = await on_pages(territory, doctor, 71), territory.engine.base_url
    stated = arrivals.traits() if patient is None else patient
    return caller, await emergency.open_access(territory.store, caller, stated, REASON, base, scope=BROWSER)


async def test_an_open_access_is_resumed_by_who_opened_it(territory: Any) -> None:
    caller, access = await opened(territory)

    task, urgent = await urgent_sessions.resume(territory.store, caller, territory.key(access.task), *emergency.KIND)

    assert task["for"]["reference"] == access.patient
    assert urgent.session == access.session
    assert await territory.sees(urgent, access.patient)
    found = await urgent_sessions.open_now(territory.store, caller, *emergency.KIND, territory.engine.base_url)
    assert [(f"Task/{tree['id']}", held.session) for tree, held in found] == [(access.task, access.session)]


async def strangers(territory: Any, caller: Caller) -> dict[str, Caller]:
    """Whoever is not the one who opened it, in one respect or in all."""
    colleague, gp = await territory.person("hospital-doctor"), await territory.person("gp")
    other = await on_pages(territory, colleague, 72)
    return {
        "a colleague": other,
        "a colleague, on this account": replace(other, account=caller.account),
        "another account in this role": replace(caller, account=72),
        "this person in another role": replace(caller, role=gp.caller.role, role_code="gp"),
    }


async def test_nobody_else_resumes_it_and_its_end_closes_it(territory: Any) -> None:
    caller, access = await opened(territory)
    key, base = territory.key(access.task), territory.engine.base_url
    for name, other in (await strangers(territory, caller)).items():
        with pytest.raises(NotFound):
            await urgent_sessions.resume(territory.store, other, key, *emergency.KIND)
        assert await urgent_sessions.open_now(territory.store, other, *emergency.KIND, base) == [], name

    await emergency.end_access(territory.store, caller, key, base)
    with pytest.raises(NotFound):
        await urgent_sessions.resume(territory.store, caller, key, *emergency.KIND)
    assert await urgent_sessions.open_now(territory.store, caller, *emergency.KIND, base) == []


async def test_with_both_checks_gone_a_colleague_would_have_it(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faults planted, one by one: the task's requester, then whose session it is. Either one alone refuses."""
    caller, access = await opened(territory)
    key = territory.key(access.task)
    colleague = (await strangers(territory, caller))["a colleague"]

    async def anyone(store: Any, asking: Caller) -> dict[int, Caller]:
        return await honest(store, caller)

    async def no_requester(store: Any, cell: Caller, asking: Caller, task: Any, system: str, code: str) -> Tree:
        seen: Tree = read((await store.read(cell, task)).body)
        return seen

    honest = urgent_sessions._of_our_pages
    monkeypatch.setattr(urgent_sessions, "_of_our_pages", anyone)
    with pytest.raises(NotFound):
        await urgent_sessions.resume(territory.store, colleague, key, *emergency.KIND)
    monkeypatch.setattr(urgent_sessions, "task_of", no_requester)
    _, urgent = await urgent_sessions.resume(territory.store, colleague, key, *emergency.KIND)
    assert await territory.sees(urgent, access.patient)
    monkeypatch.setattr(urgent_sessions, "_of_our_pages", honest)
    with pytest.raises(NotFound):
        await urgent_sessions.resume(territory.store, colleague, key, *emergency.KIND)


def ins_only(**more: Any) -> Tree:
    return {"resourceType": "Patient", "identifier": arrivals.traits()["identifier"], **more}


def told(**more: Any) -> Tree:
    return {name: value for name, value in arrivals.traits(**more).items() if name not in ("identifier", "extension")}


ENOUGH = {
    "the matricule alone": ins_only,
    "the matricule and the birth date": lambda: ins_only(birthDate=arrivals.traits()["birthDate"]),
    "the four traits": told,
}
WRONG = {
    "a matricule and another birth date": lambda: ins_only(birthDate="1901-01-01"),
    "the traits and another matricule": lambda: {
        **told(), "identifier": [{**arrivals.traits()["identifier"][0], "value": "260058815400999"}]
    },
    "the traits and another birthplace": lambda: {**told(), "extension": arrivals.traits(place="29019")["extension"]},
    "another first name": lambda: told(given="Yvette"),
}  # fmt: skip


@pytest.mark.parametrize("stated", ENOUGH)
async def test_the_matricule_or_the_traits_are_enough(territory: Any, stated: str) -> None:
    _, access = await opened(territory, ENOUGH[stated]())

    assert access.patient


@pytest.mark.parametrize("stated", WRONG)
async def test_nothing_that_is_stated_may_contradict(territory: Any, stated: str) -> None:
    with pytest.raises(NotFound):
        await opened(territory, WRONG[stated]())


async def test_too_little_is_asked_for(territory: Any) -> None:
    with pytest.raises(BadRequest):
        await opened(territory, {"resourceType": "Patient", "birthDate": "1960-05-12"})
