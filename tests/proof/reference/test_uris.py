"""URIs, canonicals and media types against the reference: one resource, one criterion, no database in between."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from liaison.fhir import model
from liaison.fhir.model.values import Token
from liaison.fhir.search import reference, token, uri
from liaison.fhir.search.criteria import Context, Facts
from liaison.fhir.search.decide import holds
from liaison.fhir.search.parse import criterion

from .uris import Made, satisfies

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)


def differences(questions: int, seed: int) -> tuple[list[str], int]:
    """Criteria on which engine and reference disagree about a resource; and how often one was met."""
    made = Made(seed)
    resources = list(made.resources(60))
    found, met = [], 0
    facts = {
        one["id"]: Facts(one["resourceType"], one["id"], NOW, model.extract(one["resourceType"], one))
        for one in resources
    }
    for _ in range(questions):
        asked = made.question()
        name = asked.name + (f":{asked.modifier}" if asked.modifier else "")
        parsed = criterion(name, asked.value, Context(asked.type, "https://liaison.test/fhir", NOW))
        for one in resources:
            if one["resourceType"] != asked.type:
                continue
            expected = satisfies(one, asked)
            met += expected
            if holds(parsed, facts[one["id"]]) is not expected:
                found.append(f"{asked.type}?{name}={asked.value}: should{'' if expected else ' not'} find {one}")
    return found, met


def test_generated_uris_mean_what_the_reference_says() -> None:
    found, met = differences(200, seed=5)
    assert not found, "\n".join(found[:20])
    assert met > 200, "the URIs are met by next to nothing: they prove nothing"


@pytest.mark.proof
def test_many_generated_uris_mean_what_the_reference_says() -> None:
    found, met = differences(20_000, seed=6)
    assert not found, "\n".join(found[:20])
    assert met > 20_000


def _begins(real: Any, values: Sequence[Token], asked: Any) -> bool:
    media = [one.base for one in asked.operands if isinstance(one, token.Mime)]
    if media:
        return any(one.code.startswith(base) for one in values for base in media)
    return bool(real(values, asked))


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "a segment is met by its beginning": (uri, "_starts", lambda one, with_: one.startswith(with_)),
    "a version is met by any that begins with its letters": (
        reference,
        "_is_version",
        lambda value, asked: reference.literal(value) == asked.url and value.version.startswith(asked.start),
    ),
    "a media type is met by those that begin with it": (token, "matches", partial(_begins, token.matches)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    where, name, planted = FAULTS[fault]
    monkeypatch.setattr(where, name, planted)
    found, _ = differences(200, seed=5)
    assert found
