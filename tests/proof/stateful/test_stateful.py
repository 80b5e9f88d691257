"""Whatever is done in whatever order, the grants in the base are those of the law and those of a rebuild."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from liaison.auth.access import facts, grants
from liaison.auth.access.intervals import FOREVER

from .house import House, opened
from .machine import Steps


@pytest.fixture(scope="module")
def house(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(postgres, tmp_path_factory.mktemp("stateful")) as found:
        yield found


def run(house: House, examples: int, steps: int, **more: Any) -> None:
    machine = type("Lived", (Steps,), {"house": house})
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


def _without_end(type_: str, reading: Any) -> Any:
    return [
        type(one)(
            one.principal,
            one.relation,
            one.during._replace(end=FOREVER),
            one.organization,
            one.detail,
            one.source,
            one.ordinal,
        )
        for one in _HONEST_FACTS(type_, reading)
    ]


async def _without_oppositions(connection: Any, patients: Any) -> Any:
    found = await _HONEST_READING(connection, patients)
    return {patient: [one for one in stated if one.relation != 30] for patient, stated in found.items()}


_HONEST_FACTS, _HONEST_READING = facts.facts_of, grants._facts
FAULTS = {
    "the end of a fact is forgotten": ("liaison.auth.access.hooks.facts_of", _without_end),
    "oppositions are forgotten": ("liaison.auth.access.grants._facts", _without_oppositions),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*FAULTS[name])
    with pytest.raises(AssertionError):
        run(house, 40, 20, phases=[Phase.generate], derandomize=True)
