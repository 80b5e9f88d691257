"""Exporter: the entries of an answer as CSV, as FHIR (NDJSON) or on paper, with their count and a SHA-256.

An export follows the filters of its address, says when it was cut, and is itself an entry of the journal, before it leaves.
It asks for a proof of who one is of less than half an hour, and leads back to the question it is of.
Times are UTC. In a CSV, a cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV
injection); the last line has the count and the SHA-256 of all bytes before it. Of a PDF, which cannot hold its own hash, it
is the hash of the CSV of the same entries; it says who made it and when, and the last signed checkpoint.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import label_of
from liaison.auth.caller import Caller
from liaison.auth.journal import proof
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import SHAPES, identifier
from liaison.auth.journal.audit_reader import Seen
from liaison.auth.journal.entry import Entry, Event, entry
from liaison.auth.journal.names import Software
from liaison.auth.journal.told import Told, actor, told_of
from liaison.fhir.definitions import type_of
from liaison.services.pages import clock
from liaison.services.pages.audit import sheet
from liaison.services.pages.audit.acts_said import WORDS
from liaison.services.pages.audit.answer import Answer, answer
from liaison.services.pages.audit.lines import directory_names, lines_of
from liaison.services.pages.audit.question import Question, Unread, asked
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.page import to_confirm
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part, pdf
from liaison.services.pages.signed_in import Me, address_of, browser_of, signed_in

COLUMNS: Final = (
    "moment_utc", "ligne", "acte", "resultat", "personne", "nom", "role", "structure", "nom_structure", "dossier",
    "logiciel", "finalite", "motif", "regles", "elements", "agit_pour", "acte_precis", "acte_en_clair", "concerne", "details",
    "demande",
)  # fmt: skip
_FORMULA: Final = re.compile(r"(^|[;|,\t\r\n])(\s*[\t\r\n=+\-@＝＋－＠])")
"""At its beginning; and after what a spreadsheet may take for the end of a cell, as a French one does the semicolon, whatever is
written between quotes here. The full-width signs are formulas too where one types in Japanese or Chinese."""
_MOST_ON_PAPER: Final = 2_000


def neutral(cell: str) -> str:
    """The cell as no spreadsheet takes it for a formula."""
    return _FORMULA.sub(r"\1'\2", cell)


async def export_csv(request: Request) -> Response:
    return await _exported(request, "csv")


async def export_ndjson(request: Request) -> Response:
    return await _exported(request, "ndjson")


async def export_pdf(request: Request) -> Response:
    return await _exported(request, "pdf")


async def _proven(request: Request) -> bool:
    """Whether who is signed in has proven it recently enough for something that leaves the house."""
    browser = await browser_of(request)
    return browser is not None and browser.recent


async def _exported(request: Request, form: str) -> Response:
    caller, me = await signed_in(request)
    house = request.app.state.house
    try:
        question = asked(request.query_params.multi_items())
        if not await _proven(request):
            return to_confirm(request, f"/journal/recherche?{question.query}")
        found = await answer(house, caller, question, clock.now(request), exported=True)
    except Unread as error:
        words = error.told(translations(language_of(request)).gettext)
        return render(request, "audit/answer.html", status=400, error=words, line="")
    seen = _entries(found)
    record = Record(house.engine, caller, address_of(request))
    table = await _csv(house, record, found, seen, translations(language_of(request)).gettext)
    digest = hashlib.sha256(table).hexdigest()
    match form:
        case "csv":
            body, media = table + _last_line(found, len(seen), digest), "text/csv; charset=utf-8"
        case "ndjson":
            lines = b"".join(orjson.dumps(tree) + b"\n" for tree in await house.audit.trees(caller, seen))
            digest = hashlib.sha256(lines).hexdigest()
            body, media = lines + _last_resource(found, len(seen), digest), "application/fhir+ndjson"
        case _:
            body, media = await _paper(request, record, me, found, len(seen), digest), "application/pdf"
    await _tell(house, caller, question, found, seen, form, digest)
    response = Response(body, media_type=media)
    response.headers["content-disposition"] = f'attachment; filename="journal-{clock.now(request):%Y-%m-%d}.{form}"'
    return confine(request, response)


async def _tell(
    house: Any, caller: Caller, question: Question, found: Answer, seen: Sequence[Seen], form: str, digest: str
) -> None:
    """The export as an entry, and one on each person whose entries leave with it."""
    detail = {
        "act": Act.JOURNAL_EXPORTED,
        "journal": form,
        "entries": len(seen),
        "sha256": digest,
        "cut": found.cut or found.refusals_cut,
    }
    people = {one.record.patient for one in seen} | (
        {house.audit.patient(question.dossier)} if question.dossier else set()
    )
    await house.journal.record(
        [
            entry(caller, Event.EXPORT, returned=len(seen), query=question.query, detail=detail),
            *(
                entry(caller, Event.EXPORT, patient=one, query=question.query, detail=detail)
                for one in sorted(people - {0})
            ),
        ]
    )


def _entries(found: Answer) -> list[Seen]:
    seen = [one for visit in found.visits for one in visit.lines]
    return sorted(seen, key=lambda one: (one.record.at, one.record.worker, one.record.sequence), reverse=True)


async def _csv(house: Any, record: Record, found: Answer, seen: Sequence[Seen], gettext: Gettext) -> bytes:
    reader = house.audit
    told = [act for one in seen if (act := told_of(one.entry)) is not None]
    holders = await reader.people({account for one in told for account in one.accounts})
    clients = await reader.software({client for one in told for client in one.registrations})
    by = [actor(one.entry) for one in seen]
    people = {one.person: _person(reader, one) for one in by}
    places = {n: reader.reference("Organization", 0, n) for n in {one.organization for one in by} - {0}}
    names = await directory_names(record, [*people.values(), *places.values()])
    ids = await reader.patient_ids({one.record.patient for one in seen})
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for one, done in zip(seen, by, strict=True):
        person, place = people[done.person], places.get(done.organization, "")
        rows.writerow(
            neutral(cell)
            for cell in (
                one.record.at.astimezone(UTC).isoformat(timespec="milliseconds"),
                identifier(one.record.worker, one.record.sequence),
                SHAPES[done.event].subtype[1],
                str(done.outcome),
                person,
                names.get(person, ""),
                done.role_code,
                place,
                names.get(place, ""),
                ids.get(done.patient, ""),
                found.clients.get(done.client, ("", ""))[0],
                Purpose(done.purpose).code if done.purpose else "",
                done.reason,
                " ".join(sorted({label_of(rule) for item in done.items for rule in item[3::2]})),
                " ".join(sorted({type_of(item[0]) for item in done.items})),
                str(reader.reference("Practitioner", 0, done.acts_for)) if done.acts_for else "",
                *_act(told_of(one.entry), reader, holders, clients, gettext),
                "/".join(done.requested).strip("/") if done.outcome else "",
            )
        )
    return written.getvalue().encode()


def _act(
    told: Told | None, reader: Any, holders: Mapping[int, str], clients: Mapping[int, Software], gettext: Gettext
) -> tuple[str, str, str, str]:
    """The code of the act, its words, those concerned and what was decided. A patient is the number of an account."""
    if told is None:
        return "", "", "", ""
    concerned = [
        *(holders.get(one, f"account/{one}") for one in told.accounts),
        *told.clients,
        *(clients[one].client_id for one in told.registrations if one in clients),
        *(f"telephone/{one}" for one in told.phones),
        *(str(reader.reference("Organization", 0, one)) for one in (told.organization,) if one),
        *told.references,
    ]
    details = "; ".join(f"{name}={value}" for name, value in told.detail)
    return told.code, gettext(WORDS[told.act]) if told.act else told.code, " ".join(concerned), details


def _person(reader: Any, done: Entry) -> str:
    if not done.person or done.person == done.client or done.role_code in ("patient", "guardian"):
        return ""
    return str(reader.reference("Practitioner", 0, done.person))


def _last_line(found: Answer, count: int, digest: str) -> bytes:
    whole = "coupé" if found.cut or found.refusals_cut else "complet"
    if found.readable:
        whole += f" depuis le {found.readable}"
    return f"# {count} lignes,{whole},SHA-256,{digest}\r\n".encode()


def _last_resource(found: Answer, count: int, digest: str) -> bytes:
    """A line that readers of FHIR understand too."""
    said: list[dict[str, Any]] = [
        {"name": "count", "valueInteger": count},
        {"name": "cut", "valueBoolean": found.cut or found.refusals_cut},
        {"name": "sha256", "valueString": digest},
    ]
    if found.readable:
        said.append({"name": "readable-since", "valueDate": found.readable.isoformat()})
    return orjson.dumps({"resourceType": "Parameters", "parameter": said}) + b"\n"


async def _paper(request: Request, record: Record, me: Me, found: Answer, count: int, digest: str) -> bytes:
    house, language = request.app.state.house, language_of(request)
    gettext = translations(language).gettext
    title = gettext(_("Extrait du journal des accès"))
    shown = found.visits[:_MOST_ON_PAPER]
    ids = await house.audit.patient_ids({one.patient for one in shown})
    made = [
        Part("title", title),
        Part("text", found.question.line or gettext(_("Tout le dernier mois"))),
        Part("text", sheet.made(clock.now(request), me, gettext, language)),
        sheet.hours_said(gettext),
    ]
    if found.cut or found.refusals_cut or len(shown) < len(found.visits):
        made.append(Part("text", gettext(_("Cet extrait est coupé : il y a d'autres lignes dans la période."))))
    if found.readable:
        made.append(Part("text", sheet.expired_said(found.readable, gettext, language)))
    made += sheet.paragraphs(await lines_of(house.database, record, shown, gettext, ids), language)
    counted = gettext(
        _("Visites : %(visits)s. Lignes : %(count)s. SHA-256 de l'export CSV des mêmes lignes : %(digest)s")
    )
    made.append(Part("text", counted % {"visits": len(found.visits), "count": count, "digest": digest}))
    made += await _signed(house, gettext)
    return pdf(made, title, language)


async def _signed(house: Any, gettext: Gettext) -> list[Part]:
    """The last checkpoint, by which whoever keeps one finds that nothing before it changed."""
    try:
        size, note = await proof.last(house.database.reading)
    except proof.NoProof:
        return []
    words = gettext(_("Dernier point signé du journal : %(size)s lignes, racine %(root)s"))
    return [Part("text", words % {"size": size, "root": note.split("\n")[2]})]
