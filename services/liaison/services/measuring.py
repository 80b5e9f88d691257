"""Indicators of the library's Measures, over everyone, for those who follow programmes and read no record for it.

The counting is done by the internal principal `measures`, on keys alone: no body is opened, and what leaves is an
aggregate with its small cells masked (rules 18 and 27). `GET` or `POST Measure/[id]/$evaluate-measure` gives it as a
MeasureReport, `indicators` to the page.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir import model
from liaison.fhir.errors import Forbidden, NotFound, TooLarge, Unprocessable
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import Given, refused
from liaison.fhir.search import find
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store.contract import Answer, Request
from liaison.fhir.store.reindex import how_far
from liaison.protocols import measures
from liaison.protocols.library import Library
from liaison.services.engine import Engine
from liaison.services.library.published import in_force
from liaison.services.operation_definitions import EVALUATE_MEASURE

Tree = dict[str, Any]
ROLES: Final = frozenset({"coordinator-admin", "coordinator"})
PARIS: Final = ZoneInfo("Europe/Paris")
MOST: Final = 200_000
"""Resources of one population: beyond it, it is refused rather than counted short."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measure as it may be told."""

    measure: Tree
    start: date
    end: date
    denominator: measures.Population
    numerator: measures.Population
    told: measures.Told


async def indicators(engine: Engine, caller: Caller) -> tuple[date, list[Indicator]]:
    """(today, every measure of the library). Raises Forbidden for another role."""
    today = _today(engine)
    trees = (await _library(engine)).current().of_type("Measure")
    return today, [await _evaluated(engine, caller, tree, today) for tree in trees]


async def evaluate(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the MeasureReport, over the calendar year that is asked for, else over the period that the Measure says, up to today. It
    says where the index was not complete when the counting began. Raises BadRequest for any other period."""
    scope.permit_letter(caller, "r", "Measure")
    given = EVALUATE_MEASURE.read(request)
    if given.text("reportType") not in ("", "population"):
        raise refused("reportType", "is 'population' here: nobody is named.")
    today = _today(engine)
    year = _year(given, today)
    key = engine.store.key("Measure", where.id_)
    opened = await engine.store.read(caller, key) if key else None
    if opened is None or opened.row.deleted:
        raise NotFound
    definition = model.read(opened.body)
    source = (await _library(engine)).find(
        "|".join(str(definition[part]) for part in ("url", "version") if part in definition)
    )
    if source is None:
        raise Unprocessable("This Measure is not in the protocol library of this service.", "Measure.url")
    if year is not None and measures.own_years(source.tree) > 1:
        raise refused("periodStart", "is not taken by this Measure, which is over several years up to today.")
    gone_over = await how_far(engine.store.database.reading, GENERATION)
    found = await _evaluated(engine, caller, source.tree, today, year)
    made = measures.report(
        source.tree,
        found.told,
        found.start,
        found.end,
        gone_over,
        made_on=today,
        of_today=() if year is None else measures.timeless(source.tree),
    )
    return Answer(200, orjson.dumps(made))


def _year(given: Given, today: date) -> int | None:
    """The calendar year that is asked for; None for none. Years do not overlap, and none can be slid by a day to find one person."""
    start, end = given.text("periodStart"), given.text("periodEnd")
    if not start and not end:
        return None
    year = measures.calendar_year(start, end)
    if not year:
        raise refused(
            "periodStart" if start else "periodEnd",
            "is taken as a whole calendar year, with both ends: periodStart=2025-01-01 and periodEnd=2025-12-31, or 2025 for both."
            " Without either, the period is the Measure's own, up to today.",
        )
    if year > today.year:
        raise refused("periodStart", f"names {year}, which has not begun.")
    return year


async def _library(engine: Engine) -> Library:
    return await in_force(engine.store.database.reading, engine.store.vault)


def _today(engine: Engine) -> date:
    return engine.store.database.clock.now().astimezone(PARIS).date()


async def _evaluated(engine: Engine, caller: Caller, measure: Tree, today: date, year: int | None = None) -> Indicator:
    if caller.role_code not in ROLES:
        raise Forbidden("Indicators are for those who coordinate programmes.")
    start, end = measures.period_start(measure, today), today
    own = asked = measures.populations(measure, start)
    if year is not None:
        start, end = date(year, 1, 1), date(year, 12, 31)
        asked = measures.populations(measure, start, end)
    cell = await internal.open_session(engine.store.database.writing, "measures", caller=caller)
    try:
        people = {
            one.query: await _people(engine, cell, one.query)
            for one in {one.query: one for one in (*asked, *own)}.values()
        }
    finally:
        await internal.close_session(engine.store.database.writing, cell)
    # One entry for the job: nothing of anybody was shown.
    await engine.journal.record((entry(cell, Event.JOB, detail={"act": Act.MEASURED, "measure": measure["url"]}),))
    of_asked, of_own = ((people[whole.query], people[part.query]) for whole, part in (asked, own))
    return Indicator(measure, start, end, *asked, measures.told_beside(of_asked, of_own))


async def _people(engine: Engine, cell: Caller, query: str) -> set[str]:
    type_, _, criteria = query.partition("?")
    keys = (await find(engine.store, cell, type_, criteria, limit=MOST + 1, base_url=engine.base_url)).keys
    if len(keys) > MOST:
        raise TooLarge(f"More than {MOST} resources belong to one population.")
    return {str(key.patient) for key in keys}
