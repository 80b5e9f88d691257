"""What each value means, against the reference evaluator: one resource, one criterion, no database in between."""

from datetime import UTC, datetime

import pytest

from liaison.fhir import model
from liaison.fhir.search.criteria import Context, Facts
from liaison.fhir.search.decide import holds
from liaison.fhir.search.parse import criterion

from . import corpus as sample
from .elements import Resource
from .evaluator import Asked, satisfies
from .generator import Generator

BASE = "https://liaison.test/fhir"
NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)


def resources(most: int) -> list[Resource]:
    """The given data under ids of no store."""
    made = iter(range(1, 1_000_000))
    corpus = sample.Corpus(lambda type_, owner: f"{next(made):032x}")
    for bundle in sample.given(most):
        corpus.add(bundle)
    for one in corpus.resources.values():
        one["meta"] = {"versionId": "1", "lastUpdated": "2026-01-01T10:00:00.000Z"}
    return list(corpus.resources.values())


def differences(all_: list[Resource], queries: int, seed: int, each: int = 40) -> tuple[list[str], int]:
    """Criteria on which engine and reference disagree about some of `each` resources; and how often one was met."""
    made = Generator(all_, seed, chained=0)
    facts: dict[str, Facts] = {}
    found, met = [], 0
    for _ in range(queries):
        asked = made.query()
        of_type = made.by_type[asked.type]
        some = made.random.sample(of_type, min(each, len(of_type)))
        for one in asked.criteria:
            [(name, text)] = Asked(asked.type, (one,)).text()
            parsed = criterion(name, text, Context(asked.type, BASE, NOW))
            for tree in some:
                id_ = tree["id"]
                if id_ not in facts:
                    facts[id_] = Facts(asked.type, id_, NOW, model.extract(asked.type, tree))
                expected = satisfies(tree, *one)
                met += expected
                if holds(parsed, facts[id_]) is not expected:
                    found.append(f"{asked.type}?{name}={text}: {id_} should{'' if expected else ' not'} be found")
    return found, met


def test_generated_values_mean_what_the_reference_says() -> None:
    found, met = differences(resources(2), 250, seed=3, each=20)
    assert not found, "\n".join(found[:20])
    assert met > 500, "the values are met by next to nothing: they prove nothing"


@pytest.mark.proof
def test_many_generated_values_mean_what_the_reference_says() -> None:
    found, met = differences(resources(10), 20_000, seed=4)
    assert not found, "\n".join(found[:20])
    assert met > 50_000


def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liaison.fhir.search.quantity.conversion", lambda one, other: (1, 0))
    found, _ = differences(resources(1), 500, seed=3, each=20)
    assert found
