"""Whatever is done in whatever order, the grants in the base are those of the law and those of a rebuild, and what is
written is seen by whom the law shows it to."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from liaison.auth.access import around, facts, lasting, vocabulary
from liaison.auth.access.facts import task
from liaison.auth.access.intervals import FOREVER
from liaison.auth.access.relations import Relation

from .base import Unlike
from .house import House, opened
from .steps.entries import Entries
from .steps.people import Delegates, Directory, Guardians, Mergings
from .steps.teams import Teams
from .steps.urgent import Urgent
from .steps.visits import Visits
from .steps.wishes import Wishes

EVERY_STEP = (Teams, Visits, Entries, Urgent, Delegates, Guardians, Directory, Mergings)
"""Mergings are Wishes too."""


@pytest.fixture(scope="module")
def house(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(postgres, tmp_path_factory.mktemp("stateful")) as found:
        yield found


def run(house: House, examples: int, steps: int, taken: tuple[type, ...] = EVERY_STEP, **more: Any) -> None:
    machine = type("Lived", taken, {"house": house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=True, **more,
        ),
    )  # fmt: skip


def test_after_each_step_the_grants_are_those_of_the_law(house: House) -> None:
    run(house, 8, 20, phases=[Phase.generate])


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_after_each_step_of_many_lives_the_grants_are_those_of_the_law(house: House) -> None:
    run(house, 150, 40)


def _every(change: Callable[[Any], Any]) -> Any:
    """Each fact of a resource, changed; None leaves it out."""
    return lambda type_, reading: [one for fact in _HONEST_FACTS(type_, reading) if (one := change(fact)) is not None]


def _replaced(fact: Any, **elements: Any) -> Any:
    names = ("principal", "relation", "during", "organization", "detail", "source", "ordinal")
    return type(fact)(**{name: elements.get(name, getattr(fact, name)) for name in names})


def _without(relation: Relation) -> Any:
    return _every(lambda fact: None if fact.relation is relation else fact)


def _as_if(relation: Relation, other: Relation) -> Any:
    return _every(lambda fact: _replaced(fact, relation=other) if fact.relation is relation else fact)


def _gives(what: Callable[[], Any]) -> Any:
    async def given(*_: Any) -> Any:
        return what()

    return given


_HONEST_FACTS = facts.facts_of
_FACTS = "liaison.auth.access.hooks.facts_of"
_HELD = around._HELD


class Fault(NamedTuple):
    """What is broken, how, the steps that could show it, and what else must give way for the fault to be reached."""

    where: str
    planted: Any
    taken: tuple[type, ...] = EVERY_STEP
    besides: tuple[str, Any] | None = None


FAULTS = {
    "the end of a fact is forgotten": Fault(
        _FACTS, _every(lambda fact: _replaced(fact, during=fact.during._replace(end=FOREVER)))
    ),
    "oppositions are forgotten": Fault(_FACTS, _without(Relation.DENY), (Wishes,)),
    "objections are forgotten": Fault(_FACTS, _without(Relation.EMERGENCY_OBJECTION), (Urgent, Wishes)),
    "an opposition concerns one role": Fault("liaison.auth.access.grants._persons", _gives(dict), (Wishes,)),
    "whoever attends is in the subteam": Fault(_FACTS, _as_if(Relation.ATTENDING, Relation.MENTAL_HEALTH), (Teams,)),
    "a referral counts before it is accepted": Fault(
        "liaison.auth.access.facts.task._ACCEPTED", frozenset({*task._ACCEPTED, "requested"}), (Visits,)
    ),
    "a referral ends a day early": Fault("liaison.auth.access.facts.task._AFTER", timedelta(0), (Visits,)),
    "a call opens for a day": Fault("liaison.auth.access.calls.LASTS", timedelta(days=1), (Urgent,)),
    "a call opens nothing": Fault(_FACTS, _without(Relation.CALL), (Urgent,)),
    "a call that has ended goes on": Fault("liaison.auth.access.calls._ending", _gives(list), (Urgent,)),
    "an emergency lasts five hours": Fault("liaison.auth.access.emergency.LASTS", timedelta(hours=5), (Urgent,)),
    "any measure represents": Fault(
        "liaison.auth.access.vocabulary.MEASURES",
        frozenset({*vocabulary.MEASURES, "curatelle"}),
        (Guardians,),
        ("liaison.auth.access.lasting._YEARS", {**lasting._YEARS, "curatelle": 20}),
    ),
    "a representation lasts for ever": Fault(
        "liaison.auth.access.lasting.until", lambda measure, seen: FOREVER, (Guardians,)
    ),
    "parents represent somebody of age": Fault(
        "liaison.auth.access.lasting._YEARS", dict.fromkeys(lasting._YEARS, 20), (Guardians,)
    ),
    "delegates have no dates": Fault(
        "liaison.auth.access.around._HELD",
        _HELD.replace("greatest(valid_from, $5), least(valid_to, $6)", "$5::timestamptz, $6::timestamptz"),
        (Delegates,),
    ),
    "whoever is put aside goes on": Fault("liaison.auth.access.directory._is_aside", lambda tree: False, (Directory,)),
    "a merging carries nothing over": Fault(
        "liaison.auth.access.merging.carried", lambda *given: iter(()), (Mergings,)
    ),
    "nothing is masked": Fault("liaison.auth.access.masking.in_force", _gives(dict), (Entries,)),
    "what tells of it is not masked": Fault(
        "liaison.auth.access.masking.telling",
        SimpleNamespace(told=lambda tree: (), PARAMETERS=((0, 0),)),
        (Entries,),
    ),
    "what tells of what is labelled is not masked": Fault(
        "liaison.auth.access.masking.by_label", lambda tree: False, (Entries,)
    ),
}
SHORT = ("the end of a fact is forgotten", "oppositions are forgotten", "a call opens nothing", "nothing is masked")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SHORT else pytest.mark.proof) for name in FAULTS]
)
def test_a_planted_fault_is_found(house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, planted, taken, besides = FAULTS[name]
    monkeypatch.setattr(where, planted)
    if besides is not None:
        monkeypatch.setattr(*besides)
    with pytest.raises(Unlike):
        run(house, 100, 20, taken, phases=[Phase.generate], derandomize=True)
