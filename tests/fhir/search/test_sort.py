"""_sort by dates: the order is by the values of the parameter, whether an index gives it or a list is made."""

from typing import Any

import pytest

from liaison.fhir.store.contract import Key

from .conftest import Territory

DATED: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "Observation": (
        "date",
        [
            {"effectiveDateTime": "2024-05-01", "issued": "2024-12-01T00:00:00Z"},
            {"effectiveDateTime": "2024-06-01"},
            {"effectiveTiming": {"event": ["2024-06-20", "2024-06-15"]}},
            {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2024-07-01", "end": "2024-07-05"}}}},
            {"effectiveDateTime": "2024-08-01"},
        ],
        [{}, {"issued": "2024-06-10T00:00:00Z"}],
    ),
    "Encounter": (
        "date",
        [
            {"period": {"start": "2024-01-01"}},
            {"period": {"end": "2024-05-01"}},
            {"period": {"start": "2024-06-01", "end": "2024-06-02"}},
        ],
        [{}, {}],
    ),
    "ServiceRequest": (
        "occurrence",
        [
            {"occurrenceDateTime": "2024-05-01", "authoredOn": "2024-12-01"},
            {"occurrenceTiming": {"event": ["2024-05-15"]}},
            {"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2024-07-01"}}}},
        ],
        [{"authoredOn": "2024-06-01"}, {}],
    ),
    "DiagnosticReport": (
        "date",
        [
            {"effectiveDateTime": "2024-05-01", "issued": "2024-12-01T00:00:00Z"},
            {"effectivePeriod": {"start": "2024-07-01"}},
        ],
        [{"issued": "2024-06-01T00:00:00Z"}],
    ),
    "Immunization": (
        "date",
        [{"occurrenceDateTime": "2024-05-01", "recorded": "2024-12-01"}, {"occurrenceDateTime": "2024-07-01"}],
        [{"occurrenceString": "jadis", "recorded": "2024-06-01"}, {"occurrenceString": "jadis"}],
    ),
    "Condition": (
        "onset-date",
        [{"onsetDateTime": "2024-05-01", "recordedDate": "2024-12-01"}, {"onsetPeriod": {"start": "2024-07-01"}}],
        [{"recordedDate": "2024-06-01"}, {"onsetString": "jadis"}],
    ),
    "Task": (
        "period",
        [
            {"executionPeriod": {"start": "2024-05-01"}, "authoredOn": "2024-12-01"},
            {"executionPeriod": {"start": "2024-07-01"}},
        ],
        [{"authoredOn": "2024-06-01"}],
    ),
}
"""Of each type a date parameter, resources in ascending order of its values, and resources that have none: these are lower
than any, whatever other dates they have (R4 search.html#sort)."""

PLAIN: dict[str, dict[str, Any]] = {
    "Observation": {"status": "final", "code": {"text": "x"}},
    "Encounter": {"status": "finished", "class": {"code": "AMB"}},
    "Condition": {"code": {"text": "x"}},
    "Task": {"status": "draft", "intent": "order"},
    "ServiceRequest": {"status": "active", "intent": "order"},
    "DiagnosticReport": {"status": "final", "code": {"text": "x"}},
    "Immunization": {"status": "completed", "vaccineCode": {"text": "x"}},
}


@pytest.mark.parametrize("type_", sorted(DATED))
async def test_a_date_orders_by_its_own_values_alone_and_among_other_keys(
    team: tuple[Territory, Key], type_: str
) -> None:
    territory, patient = team
    code, dated, without = DATED[type_]
    owner = {"Immunization": "patient", "Task": "for"}.get(type_, "subject")
    named = {owner: {"reference": f"Patient/{territory.id(patient)}"}}

    async def made(more: dict[str, Any]) -> str:
        return territory.id(await territory.add({"resourceType": type_, **PLAIN[type_], **named, **more}, patient))

    lowest = {await made(one) for one in without}
    ascending = [await made(one) for one in reversed(dated)][::-1]
    for more in ("", ",_id", ",_lastUpdated"):
        up = (await territory.search(type_, f"_sort={code}{more}")).ids
        down = (await territory.search(type_, f"_sort=-{code}{more}")).ids
        assert ({*up[: len(lowest)]}, up[len(lowest) :]) == (lowest, ascending), more
        assert (down[: len(ascending)], {*down[len(ascending) :]}) == (ascending[::-1], lowest), more
    assert (await territory.search(type_, f"_sort=_tag,-{code}")).ids[: len(ascending)] == ascending[::-1]
