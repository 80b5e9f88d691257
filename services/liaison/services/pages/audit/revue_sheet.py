"""The PDF of a revue, for whoever has not the pages: what was asked, of which days, what it counted, what is open, who signed."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.services.pages import clock
from liaison.services.pages.audit.named_reviews import COUNTED, OPEN, found_by
from liaison.services.pages.audit.question import asked as question_of
from liaison.services.pages.audit.sheet import made
from liaison.services.pages.calendar_words import day_said, last_day_before, moment_said
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
    revue = await found_by(request)
    detail = {"act": Act.REVIEW_SHEET, "review": revue.number}
    await note(request, entry(caller, Event.EXPORT, request=asked(request), detail=detail))

    def at(moment: datetime) -> str:
        return moment_said(moment.astimezone(PARIS), "d MMM y, HH:mm", language)

    content, signature = revue.content, revue.signature
    question = question_of(parse_qsl(content.query))
    since, until = question.period(clock.now(request))
    days = [day_said(day, "d MMM y", language) for day in (since.astimezone(PARIS).date(), last_day_before(until))]
    period = gettext(_("du %(first)s au %(last)s")) % {"first": days[0], "last": days[1]}
    facts = {
        _("Période"): period,
        _("Recherche"): question.line,
        _("Règles de partage"): gettext(_("version %(version)s")) % {"version": content.rules},
        _("Enregistrée"): f"{at(revue.made_at)}, {content.by}",
    }
    parts = [
        Part("title", content.name),
        *(Part("text", colon(gettext, gettext(name), said)) for name, said in facts.items()),
    ]
    parts += _numbers(_("Comptes"), content.counts, content.open, gettext)
    parts.append(Part("heading", gettext(_("Signature"))))
    if signature is None:
        parts.append(Part("text", gettext(_("Cette revue n'est pas signée."))))
    else:
        parts.append(Part("text", f"{signature.by}, {at(signature.at)}"))
        parts += [Part("text", signature.remark)] if signature.remark else []
        parts += _numbers(_("Comptes au moment de la signature"), signature.counts, signature.open, gettext)
    parts.append(Part("text", made(clock.now(request), me, gettext, language)))
    return printed(request, parts, content.name, language, f"revue-{revue.number}")


def _numbers(name: str, counts: Mapping[str, int], still_open: Mapping[str, int], gettext: Gettext) -> list[Part]:
    parts = []
    for heading, found, words in ((name, counts, COUNTED), (_("Encore à traiter"), still_open, OPEN)):
        said = [
            gettext(what) if name == "cut" else colon(gettext, gettext(what), str(found[name]))
            for name, what in words.items()
            if found.get(name)
        ]
        parts += [Part("text", gettext(heading)), *(Part("point", one) for one in said or [gettext(_("Rien"))])]
    return parts
