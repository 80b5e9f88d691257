"""The PDF of a case: what happened, who said and decided what, when and why. The person stays a number in it.

It is read by whoever has not the pages: the access, what was found unusual, each word of the readers and of whoever acted.
"""

from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.services.pages import clock
from liaison.services.pages.audit import cases
from liaison.services.pages.audit.acts_said import STEPS
from liaison.services.pages.audit.cases import Shown
from liaison.services.pages.audit.sheet import made
from liaison.services.pages.audit.to_review import Line
from liaison.services.pages.audit.unusual import number_of
from liaison.services.pages.calendar_words import moment_said
from liaison.services.pages.clock import PARIS
from liaison.services.pages.entering import asked, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import signed_in


async def sheet(request: Request) -> Response:
    caller, me = await signed_in(request)
    language = language_of(request)
    gettext = translations(language).gettext
    case = await cases.read(request, number_of(str(request.path_params["number"])))
    told = entry(
        caller,
        Event.EXPORT,
        patient=case.case.patient,
        request=asked(request),
        detail={"act": Act.CASE_SHEET, "case": case.case.number},
    )
    await note(request, told)
    title = gettext(_("Affaire nº %(number)s")) % {"number": case.case.number}
    line, writers = await cases.access(request, case)
    parts = [
        Part("title", title),
        *_parts(case, line, writers, gettext, language),
        Part("text", made(clock.now(request), me, gettext, language)),
    ]
    return printed(request, parts, title, language, f"affaire-{case.case.number}")


def _parts(case: Shown, line: Line, writers: Mapping[str, str], gettext: Gettext, language: str) -> list[Part]:
    def at(moment: datetime) -> str:
        return moment_said(moment.astimezone(PARIS), "d MMM y, HH:mm", language)

    def said(when: datetime | None, who: str, what: str, text: str) -> list[Part]:
        point = Part("point", colon(gettext, ", ".join(filter(None, (at(when) if when else "", who))), what))
        return [point, *([Part("text", text)] if text else [])]

    one = case.case
    who = ", ".join(filter(None, (case.who.name, case.who.role, case.structure)))
    facts = [
        (_("Accès"), ", ".join(filter(None, (case.kind, at(line.at) if line.at else "")))),
        (_("Avis des deux lecteurs"), case.outcome),
        (_("Personne mise en cause"), who),
        (_("Dossier"), case.patient),
        (_("Motif"), line.reason),
        *((_("Ce qui est inhabituel"), sentence) for sentence in line.because),
        (_("Connu depuis le"), at(one.known_at)),
        (_("Affaire ouverte le"), at(one.opened_at)),
        (_("Notification à la CNIL avant le"), at(one.notify_by)),
        (_("Affaire close le"), at(one.closed_at) if one.closed_at else gettext(_("en cours"))),
    ]
    parts = [Part("text", colon(gettext, gettext(name), value)) for name, value in facts if value]
    parts.append(Part("heading", gettext(_("Ce qui a été dit"))))
    for word in line.notes:
        kind = word.outcome or gettext(_("Réponse de l'intéressé") if word.by_actor else _("Remarque"))
        parts += said(word.at, writers.get(word.by, ""), kind, word.text)
    parts.append(Part("heading", gettext(_("Ce qui a été fait"))))
    for step in case.steps:
        parts += said(step.at, case.readers.get(step.by, ""), gettext(STEPS[step.kind]), step.text)
    return parts if case.steps else [*parts, Part("text", gettext(_("Rien encore.")))]
