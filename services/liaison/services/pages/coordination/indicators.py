"""Bilan: counts without names, each beside its definition, for those whose role opens no record too. Small numbers are hidden, and
said to be. As a page, as a table for a spreadsheet (CSV), and on paper (PDF)."""

import csv
import io
from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols.measures import SMALLEST
from liaison.protocols.sources import sources
from liaison.services import measuring
from liaison.services.measuring import Indicator
from liaison.services.pages.audit.exporting import neutral
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.coordination.renewing import incomplete
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import signed_in

COLUMNS = (
    "rapport", "indicateur", "définition", "du", "au", "dénominateur", "effectif", "numérateur", "effectif", "part en %", "source",
)  # fmt: skip


async def indicators(request: Request) -> Response:
    caller, _me = await signed_in(request)
    engine = request.app.state.house.engine
    lacking = await incomplete(engine, translations(language_of(request)).gettext)
    today, found = await measuring.indicators(engine, caller)
    by_topic: dict[str, list[Indicator]] = {}
    for one in found:
        by_topic.setdefault(topic(one), []).append(one)
    return render(
        request, "coordination/indicators.html", topics=by_topic, end=today, smallest=SMALLEST,
        leads=caller.role_code != "coordinator-admin",
        incomplete=lacking, sources=sources,
    )  # fmt: skip


async def table(request: Request) -> Response:
    caller, _me = await signed_in(request)
    engine, gettext = request.app.state.house.engine, translations(language_of(request)).gettext
    lacking = await incomplete(engine, gettext)  # before: the pass may end while it is counted
    today, found = await measuring.indicators(engine, caller)
    written = io.StringIO()
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for one in found:
        whole, part = (_count(count, gettext) for count in (one.told.denominator, one.told.numerator))
        share = "" if one.told.percent is None else str(one.told.percent)
        cells = (topic(one), one.measure["title"], one.measure["description"], one.start.isoformat(), today.isoformat())
        rest = (
            one.denominator.description,
            whole,
            one.numerator.description,
            part,
            share,
            "; ".join(_sources(one, gettext)),
        )
        lines.writerow([neutral(str(cell)) for cell in (*cells, *rest)])
    if lacking:
        lines.writerow([lacking])
    answer = Response(b"\xef\xbb\xbf" + written.getvalue().encode(), media_type="text/csv; charset=utf-8")
    answer.headers["content-disposition"] = 'attachment; filename="bilan.csv"'
    return confine(request, answer)


async def sheet(request: Request) -> Response:
    caller, me = await signed_in(request)
    engine, language = request.app.state.house.engine, language_of(request)
    gettext = translations(language).gettext
    lacking = await incomplete(engine, gettext)
    today, found = await measuring.indicators(engine, caller)
    parts = [
        Part("title", gettext(_("Bilan"))),
        Part("text", f"{me.organization_name}, {day_said(today, 'd MMMM y', language)}"),
    ]
    hidden = gettext(
        _("Un effectif de moins de {smallest} personnes est caché, et de même celui qui le laisserait deviner.")
    )
    parts += [Part("text", lacking)] if lacking else []
    parts += [Part("text", hidden.format(smallest=SMALLEST)), *_lines(found, gettext, language)]
    return printed(request, parts, gettext(_("Bilan")), language, "bilan")


def _lines(found: Iterable[Indicator], gettext: Gettext, language: str) -> Iterator[Part]:
    before = ""
    for one in sorted(found, key=topic):
        if topic(one) != before:
            before = topic(one)
            yield Part("heading", before)
        since = gettext(_("{title}, depuis le {day}")).format(
            title=one.measure["title"], day=day_said(one.start, "d MMMM y", language)
        )
        yield Part("text", since)
        for population, count in ((one.denominator, one.told.denominator), (one.numerator, one.told.numerator)):
            said = gettext(_("{what} : {count}")).format(what=population.description, count=_count(count, gettext))
            yield Part("point", said)
        if one.told.percent is not None:
            yield Part("point", gettext(_("Part : {percent} %")).format(percent=one.told.percent))
        if cited := _sources(one, gettext):
            yield Part("point", gettext(_("Source : {sources}")).format(sources=gettext(_(" ; ")).join(cited)))


def _count(count: int | None, gettext: Gettext) -> str:
    """A cell that was left empty would be read as a zero, or as what is not known."""
    return gettext(_("effectif caché")) if count is None else str(count)


def topic(one: Indicator) -> str:
    """The report that it is for."""
    return next((str(said["text"]) for said in one.measure.get("topic", ()) if said.get("text")), "Suivi")


def _sources(one: Indicator, gettext: Gettext) -> list[str]:
    unread = gettext(_("(source non relue)"))
    return [
        f"{gettext(cited.display)} {unread}" if cited.unverified else gettext(cited.display)
        for cited in sources(one.measure)
    ]
