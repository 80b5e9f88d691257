"""Indicators: a Measure of the library, its populations as searches, and the aggregate that may be told of them.

A population is the set of people of whom some resource answers the search (application/x-fhir-query); the numerator is
taken within the denominator. What is told are counts alone, none under `SMALLEST`, and none from which such a count
could be taken away (rule 27): a share of all but a few is as telling as a share of a few.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.timing import shifted

Tree = dict[str, Any]

SMALLEST: Final = 11
QUERY: Final = "application/x-fhir-query"
POPULATIONS: Final = ("denominator", "numerator")
MASKED: Final = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}
MESSAGES: Final = "http://hl7.org/fhir/StructureDefinition/cqf-messages"
_START: Final = "{{%start}}"
_SINCE: Final = re.compile(r"([\w.:-]+)=ge" + re.escape(_START))
_YEAR: Final = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Population:
    """Who is counted: 'Type?criteria', the period already in it."""

    code: str
    description: str
    query: str


@dataclass(frozen=True, slots=True)
class Told:
    """What may be said of one group. None: fewer than SMALLEST, or deducible from what is."""

    denominator: int | None
    numerator: int | None

    @property
    def percent(self) -> int | None:
        if self.denominator is None or self.numerator is None:
            return None
        return round(100 * self.numerator / self.denominator)


def year_before(today: date) -> date:
    return shifted(today, {"value": -1, "code": "a"})


def period_start(measure: Tree, today: date) -> date:
    """The start of an indicator's period: it is not the caller's choice, so that nobody slides it by a day."""
    return shifted(today, {"value": -own_years(measure), "code": "a"})


def calendar_year(start: str, end: str) -> int | None:
    """The year that both ends of a period name, whole or in part as R4 lets a date be ('2026', '2026-01', '2026-01-01' and the like at
    its end); None for any other period."""
    year = start[:4]
    if _YEAR.fullmatch(year) and start in (year, f"{year}-01", f"{year}-01-01"):
        return int(year) if end in (year, f"{year}-12", f"{year}-12-31") else None
    return None


def own_years(measure: Tree) -> int:
    """Over how many years the measure is, up to today."""
    told_ = (one for one in measure.get("extension", ()) if one.get("url") == codes.OVER_YEARS)
    return next((int(one["valuePositiveInt"]) for one in told_), 1)


def timeless(measure: Tree) -> list[str]:
    """The codes of the populations that name no period: they are of the day on which they are counted."""
    return [
        str(one["code"]["coding"][0]["code"])
        for one in measure["group"][0]["population"]
        if _START not in str(one["criteria"]["expression"])
    ]


def populations(measure: Tree, start: date, end: date | None = None) -> tuple[Population, Population]:
    """(denominator, numerator) of the measure's group, up to the end of a day where one is given. ValueError when it is not one this
    service computes."""
    groups = measure.get("group", [])
    if len(groups) != 1:
        raise ValueError("a measure has one group here")
    found: dict[str, Population] = {}
    for number, one in enumerate(groups[0].get("population", [])):
        criteria = one.get("criteria", {})
        text = str(criteria.get("expression", ""))
        if criteria.get("language") != QUERY or "?" not in text or "{{" in text.replace(_START, ""):
            raise ValueError(f"population[{number}] is not a search (Type?criteria), with {_START} alone in it")
        code = next((str(c.get("code")) for c in one.get("code", {}).get("coding", [])), "")
        if end is not None:
            text = _SINCE.sub(rf"\g<0>&\1=le{end.isoformat()}", text)
        found[code] = Population(code, str(one.get("description", "")), text.replace(_START, start.isoformat()))
    if set(found) != set(POPULATIONS):
        raise ValueError("a measure has a denominator and a numerator")
    return found["denominator"], found["numerator"]


def told(denominator: AbstractSet[str], numerator: AbstractSet[str]) -> Told:
    """The two counts, or as much of them as may be said."""
    whole, part = len(denominator), len(denominator & numerator)
    if whole < SMALLEST:
        return Told(None, None)
    if part < SMALLEST or whole - part < SMALLEST:
        return Told(whole, None)
    return Told(whole, part)


def told_beside(
    asked: tuple[AbstractSet[str], AbstractSet[str]], own: tuple[AbstractSet[str], AbstractSet[str]]
) -> Told:
    """`told` of (denominator, numerator) of a period that was asked for, without what differs by few from the same count of the
    measure's own period: the difference of two counts is a count as well."""
    counts = told(*asked)
    (whole, part, rest), (own_whole, own_part, own_rest) = (
        (one, one & two, one - two) for one, two in ((asked[0], asked[1]), (own[0], own[1]))
    )
    if _few(whole, own_whole):
        return Told(None, None)
    if _few(part, own_part) or _few(rest, own_rest):
        return Told(counts.denominator, None)
    return counts


def _few(one: AbstractSet[str], other: AbstractSet[str]) -> bool:
    return 0 < len(one ^ other) < SMALLEST


def _messages(gone_over: int | None, of_today: Sequence[str]) -> Tree:
    issues = []
    if gone_over is not None:
        words = (
            f"The index is being made anew after an upgrade: {gone_over} % of the records have been gone over. Until it has ended"
            " people are missing here, and every count and share is partial. Ask again later."
        )
        issues.append({"severity": "warning", "code": "incomplete", "diagnostics": words})
    if of_today:
        words = f"Counted as of today, for the definition names no period: {', '.join(of_today)}."
        issues.append({"severity": "information", "code": "informational", "diagnostics": words})
    return (
        {
            "contained": [{"resourceType": "OperationOutcome", "id": "messages", "issue": issues}],
            "extension": [{"url": MESSAGES, "valueReference": {"reference": "#messages"}}],
        }
        if issues
        else {}
    )


def report(
    measure: Tree,
    counts: Told,
    start: date,
    end: date,
    gone_over: int | None = None,
    *,
    made_on: date | None = None,
    of_today: Sequence[str] = (),
) -> Tree:
    """The MeasureReport, of type summary: https://hl7.org/fhir/R4/measurereport.html. A count that is not told is absent
    with the reason `masked`. `gone_over`: of a hundred records, how many could be found when it was counted; None for all. Then
    it is `pending`, and carries the OperationOutcome that says so (extension cqf-messages); so it does for the populations that are
    `of_today` in a period that is not. `made_on` is the end of the period unless it is another day."""
    group = measure["group"][0]
    by_code: Mapping[str, int | None] = {"denominator": counts.denominator, "numerator": counts.numerator}
    told_: list[Tree] = []
    for one in group["population"]:
        count = by_code[next(str(c["code"]) for c in one["code"]["coding"])]
        told_.append(
            {"code": one["code"], **({"_count": {"extension": [MASKED]}} if count is None else {"count": count})}
        )
    made: Tree = {"code": group["code"], "population": told_}
    if counts.percent is not None:
        made["measureScore"] = {
            "value": counts.percent,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        }
    return {
        "resourceType": "MeasureReport",
        **_messages(gone_over, of_today),
        "status": "complete" if gone_over is None else "pending",
        "type": "summary",
        "measure": f"{measure['url']}|{measure['version']}",
        "date": (made_on or end).isoformat(),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": [made],
    }
