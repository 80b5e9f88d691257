"""The visits of some days for the service's own software: a CSV without a word of health.

When, to whom, by whom, for what was done; the hours are those that the aide declares, and the export says so in its headings. It is an
entry of the journal, and asks for a recent proof of who one is.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.store import faults
from liaison.protocols.visit import PAPER
from liaison.services.pages.audit.exporting import neutral
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_care import again
from liaison.services.pages.home_service.differences import number_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/service/export"
LONGEST: Final = 31
FAREST: Final = timedelta(days=3660)
"""How far back; an older day is a slip."""
_MOST_FOUND: Final = 60_000
"""Resources that are read for one file: some 15,000 visits with who and what belongs to them. One that lacks the rest is not given."""
COLUMNS: Final = (
    "numero", "date", "debut_declare", "fin_declaree", "nom", "prenom", "date_naissance", "aide", "presence", "taches",
    "arrivee", "transcrit_du_papier",
)  # fmt: skip


async def export(request: Request) -> Response:
    caller, me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    today = record.now().date()
    if request.method == "GET":
        return _page(request, today - timedelta(days=7), today - timedelta(days=1))
    form = await request.form()
    since, until = _day(str(form.get("du", ""))), _day(str(form.get("au", "")))
    gettext = translations(language_of(request)).gettext
    if since is None or until is None or not 0 <= (until - since).days < LONGEST or abs(today - until) > FAREST:
        return _page(request, since or today, until or today, gettext(_("Donnez deux jours, au plus un mois.")))
    found = await _found(record, since, until)
    if len(found) >= _MOST_FOUND:
        return _page(
            request, since, until, gettext(_("Il y a trop de visites pour un seul fichier : donnez moins de jours."))
        )
    service = me.organization_reference.partition("/")[2]
    written, count = table(found, service)
    with faults.reported():
        detail = {"act": Act.VISITS_EXPORTED, "visits": count, "since": since.isoformat(), "until": until.isoformat()}
        await house.journal.record([entry(caller, Event.EXPORT, returned=count, detail=detail)])
    answer = Response(written, media_type="text/csv; charset=utf-8")
    answer.headers["content-disposition"] = f'attachment; filename="visites-{since}-{until}.csv"'
    return confine(request, answer)


def _page(request: Request, since: date, until: date, problem: str = "") -> Response:
    return render(
        request,
        "home_service/export.html",
        status=422 if problem else 200,
        since=since,
        until=until,
        problem=problem,
        columns=COLUMNS,
    )


async def _found(record: Record, since: date, until: date) -> list[Tree]:
    begin = datetime.combine(since, datetime.min.time(), PARIS)
    end = datetime.combine(until + timedelta(days=1), datetime.min.time(), PARIS)
    query = [
        ("date", f"ge{begin.isoformat()}"),
        ("date", f"lt{end.isoformat()}"),
        ("_sort", "date"),
        ("_include", "Encounter:patient"),
        ("_include", "Encounter:appointment"),
        ("_revinclude", "QuestionnaireResponse:encounter"),
        ("_count", "200"),
    ]
    return await record.search("Encounter", query, most=_MOST_FOUND)


def table(found: Iterable[Tree], service: str) -> tuple[bytes, int]:
    """The file, and how many visits are in it."""
    trees = list(found)
    written = io.StringIO()
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerow(COLUMNS)
    count = 0
    for row in _rows(trees, service):
        lines.writerow([neutral(cell) for cell in row])
        count += 1
    return b"\xef\xbb\xbf" + written.getvalue().encode(), count


def _rows(trees: list[Tree], service: str) -> Iterator[list[str]]:
    by_reference = {f"{one['resourceType']}/{one['id']}": one for one in trees}
    responses = {
        str((one.get("encounter") or {}).get("reference", "")): one
        for one in trees
        if one["resourceType"] == "QuestionnaireResponse"
    }
    for one in trees:
        # What other software recorded of the person at the same time is not a visit of the service.
        if one["resourceType"] != "Encounter" or in_error(one) or again.number_of(one) is None:
            continue
        patient = by_reference.get(str((one.get("subject") or {}).get("reference", "")))
        if patient is None:
            continue
        response = responses.get(f"Encounter/{one['id']}", {})
        lines = [by_reference.get(str(a.get("reference", ""))) for a in one.get("appointment", [])]
        yield _row(one, patient, response, next((number_of(a, service) for a in lines if a), ""))


def _row(encounter: Tree, patient: Tree, response: Tree, number: str) -> list[str]:
    who, period = identity(patient), encounter.get("period") or {}
    start = moments.moment(str(period["start"])) if period.get("start") else None
    end = moments.moment(str(period["end"])) if period.get("end") and period["end"] != period.get("start") else None
    aides = [str(p["individual"].get("display", "")) for p in encounter.get("participant", []) if p.get("individual")]
    return [
        number,
        f"{start:%Y-%m-%d}" if start else "",
        f"{start:%H:%M}" if start else "",
        f"{end:%H:%M}" if end else "",
        who.called,
        who.given,
        who.born,
        ", ".join(aides),
        ", ".join(_said(response, "presence")),
        ", ".join(_said(response, "tasks")),
        f"{moments.written(encounter):%Y-%m-%d %H:%M}",
        "oui" if from_paper(response) else "non",
    ]


def from_paper(response: Tree) -> bool:
    return any(one.get("url") == PAPER for one in response.get("extension", []))


def _said(response: Tree, link: str) -> list[str]:
    items = [item for item in response.get("item", []) if item.get("linkId") == link]
    return [str((a.get("valueCoding") or {}).get("display", "")) for item in items for a in item.get("answer", [])]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
