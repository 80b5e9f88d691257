"""Indicators of the library's Measures, over everyone, for those who follow programmes and read no record for it.

The counting is done by the internal principal `measures`, on keys alone: no body is opened, and what leaves is an
aggregate with its small cells masked (rules 18 and 27). `GET` or `POST Measure/[id]/$evaluate-measure` gives it as a
MeasureReport, `indicators` to the page.
"""

from collections.abc import Mapping
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
from liaison.fhir.errors import BadRequest, Forbidden, NotFound, TooLarge, Unprocessable
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.search import find
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store.contract import Answer, Request
from liaison.fhir.store.reindex import how_far
from liaison.protocols import measures
from liaison.protocols.library import Library
from liaison.services.engine import Engine
from liaison.services.library.published import in_force

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
    denominator: measures.Population
    numerator: measures.Population
    told: measures.Told


async def indicators(engine: Engine, caller: Caller) -> tuple[date, list[Indicator]]:
    """(today, every measure of the library). Raises Forbidden for another role."""
    today = _today(engine)
    trees = (await _library(engine)).current().of_type("Measure")
    return today, [await _evaluated(engine, caller, tree, today) for tree in trees]


async def evaluate(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the MeasureReport, over the period that the Measure says, up to today: it is not the caller's to choose. It says where
    the index was not complete when the counting began."""
    scope.permit_letter(caller, "r", "Measure")
    if request.query or _parts(request):
        raise BadRequest("$evaluate-measure takes no parameters here: the period is the Measure's own, up to today.")
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
    today, gone_over = _today(engine), await how_far(engine.store.database.reading, GENERATION)
    found = await _evaluated(engine, caller, source.tree, today)
    return Answer(200, orjson.dumps(measures.report(source.tree, found.told, found.start, today, gone_over)))


async def _library(engine: Engine) -> Library:
    return await in_force(engine.store.database.reading, engine.store.vault)


def _parts(request: Request) -> object:
    if not request.body:
        return None
    tree: Mapping[str, Any] = model.read(request.body)
    return tree.get("parameter") if tree.get("resourceType") == "Parameters" else tree


def _today(engine: Engine) -> date:
    return engine.store.database.clock.now().astimezone(PARIS).date()


async def _evaluated(engine: Engine, caller: Caller, measure: Tree, today: date) -> Indicator:
    if caller.role_code not in ROLES:
        raise Forbidden("Indicators are for those who coordinate programmes.")
    start = measures.period_start(measure, today)
    denominator, numerator = measures.populations(measure, start)
    cell = await internal.open_session(engine.store.database.writing, "measures", caller=caller)
    try:
        counts = measures.told(
            await _people(engine, cell, denominator.query), await _people(engine, cell, numerator.query)
        )
    finally:
        await internal.close_session(engine.store.database.writing, cell)
    # One entry for the job: nothing of anybody was shown.
    await engine.journal.record((entry(cell, Event.JOB, detail={"act": Act.MEASURED, "measure": measure["url"]}),))
    return Indicator(measure, start, denominator, numerator, counts)


async def _people(engine: Engine, cell: Caller, query: str) -> set[str]:
    type_, _, criteria = query.partition("?")
    keys = (await find(engine.store, cell, type_, criteria, limit=MOST + 1, base_url=engine.base_url)).keys
    if len(keys) > MOST:
        raise TooLarge(f"More than {MOST} resources belong to one population.")
    return {str(key.patient) for key in keys}
