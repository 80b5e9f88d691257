"""Each resource is a linearizable register, and its history has every version once, whoever works on it at once."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from .recording import Recorder, flag, record, versions
from .register import Operation, State, faults, unplaced

pytestmark = pytest.mark.http


def observed(
    service: Any, clients: int, resources: int, count: int, deletions: float
) -> tuple[dict[str, list[Operation]], list[str]]:
    """What clients saw of these resources, and what is wrong with it."""
    patient = service.patient()
    with service.client("gp") as client:
        ids = [client.post("/Flag", json=flag(patient, "first")).json()["id"] for _ in range(resources)]
        headers = {name: client.headers[name] for name in ("authorization", "content-type")}
        recorders = [Recorder(service.fhir, headers, patient, name) for name in range(clients)]
        seen = record(recorders, ids, count, deletions)
        initial = State(1, "first")
        wrong = [fault for id_ in ids for fault in faults(versions(client, id_), seen[id_], initial)]
    wrong += [f"{id_}: {left[:3]}" for id_ in ids if (left := unplaced(seen[id_], initial))]
    return seen, wrong


def test_reads_and_writes_at_the_same_moment_fit_one_order(service: Any) -> None:
    seen, wrong = observed(service, clients=6, resources=3, count=16, deletions=0.04)

    assert wrong == []
    done = Counter(one.kind for each in seen.values() for one in each if one.outcome == "done")
    assert done["read"] > 5
    assert done["write"] > 5


def test_a_stale_read_slipped_into_what_was_recorded_is_found(service: Any) -> None:
    """What a cache that lags behind would answer, and what two workers would that disagree on the order."""
    seen, wrong = observed(service, clients=4, resources=2, count=12, deletions=0)
    assert wrong == []
    each = max(seen.values(), key=len)
    last = max(one.returned for one in each)
    writes = sorted((one for one in each if one.kind == "write" and one.outcome == "done"), key=lambda w: w.version)
    first, end = writes[0], writes[-1]

    stale = Operation("read", last + 1, last + 2, "done", first.version, first.value)
    assert unplaced([*each, replace(stale, version=end.version, value=end.value)], State(1, "first")) == []
    assert unplaced([*each, stale], State(1, "first"))

    answers = {first: end.version, end: first.version}
    reordered = [replace(one, version=answers.get(one, one.version)) for one in each]
    assert unplaced(reordered, State(1, "first"))


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("resources", "deletions"), [(2, 0.0), (5, 0.01), (40, 0.1)])
def test_long_and_crowded_histories_fit_one_order(service: Any, resources: int, deletions: float) -> None:
    seen, wrong = observed(service, clients=16, resources=resources, count=150, deletions=deletions)

    assert wrong == []
    outcomes = Counter((one.kind, one.outcome) for each in seen.values() for one in each)
    assert outcomes["read", "done"] > 100
    assert outcomes["write", "done"] > 100
    assert outcomes["write", "stale"] > 0
    assert not any(outcome == "unknown" for _, outcome in outcomes)
