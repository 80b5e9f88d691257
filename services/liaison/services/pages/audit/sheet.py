"""Visits on paper: one paragraph each, in the words of the page."""

from collections.abc import Sequence
from datetime import date, datetime

from liaison.services.pages.audit.lines import Line
from liaison.services.pages.calendar_words import day_said, moment_said
from liaison.services.pages.clock import PARIS
from liaison.services.pages.languages import translations
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.sheets.printing import Part
from liaison.services.pages.signed_in import Me


def paragraphs(lines: Sequence[Line], language: str) -> list[Part]:
    """Who and where as a heading; when, why and what kind of data under it."""
    gettext = translations(language).gettext
    made = []
    for line in lines:
        who = ", ".join(part for part in (line.name, line.role, line.organization, line.acting) if part)
        made.append(Part("heading", who))
        if line.record:
            made.append(Part("text", gettext(_("Dossier %(number)s")) % {"number": line.number}))
        made.append(Part("text", f"{_when(line, language)} · {', '.join([*line.purposes, *line.acts])}".rstrip(" ·")))
        if line.reasons:
            made.append(Part("text", colon(gettext, gettext(_("Motif")), ", ".join(line.reasons))))
        made.append(Part("text", what(line, language)))
    return made


def what(line: Line, language: str) -> str:
    """How much was read, written, refused, and of what kind."""
    said, visit = translations(language), line.visit
    parts = []
    if visit.read:
        words = said.ngettext("%(count)s élément lu", "%(count)s éléments lus", visit.read)
        parts.append(words % {"count": visit.read})
    if visit.asked and not visit.read:
        words = said.ngettext(
            "%(count)s question, sans rien montrer", "%(count)s questions, sans rien montrer", visit.asked
        )
        parts.append(words % {"count": visit.asked})
    if visit.written:
        words = said.ngettext("%(count)s élément écrit", "%(count)s éléments écrits", visit.written)
        parts.append(words % {"count": visit.written})
    if visit.refused:
        parts.append(said.ngettext("%(count)s refus", "%(count)s refus", visit.refused) % {"count": visit.refused})
    counted = ", ".join(parts)
    return colon(said.gettext, counted, ", ".join(line.kinds)) if line.kinds else counted


def _when(line: Line, language: str) -> str:
    said = moment_said(line.visit.since.astimezone(PARIS), "d MMM y, HH:mm", language)
    return f"{said} ({line.minutes} min)" if line.minutes else said


def hours_said(gettext: Gettext) -> Part:
    return Part("text", gettext(_("Heures de Paris. Une ligne par visite, la plus récente en premier.")))


def expired_said(readable: date, gettext: Gettext, language: str) -> str:
    words = gettext(
        _(
            "Les accès d'avant le %(day)s ne se lisent plus : leur durée de conservation est passée. Le journal en garde les preuves."
        )
    )
    return words % {"day": day_said(readable, "d MMM y", language)}


def made(now: datetime, me: Me, gettext: Gettext, language: str) -> str:
    """Who made a sheet, and when."""
    at = moment_said(now.astimezone(PARIS), "d MMM y, HH:mm", language)
    by = ", ".join(filter(None, (me.name, me.role_label, me.organization_name)))
    return gettext(_("Fait le %(at)s par %(by)s.")) % {"at": at, "by": by}
