"""Revues: a search of the journal is given a name, kept with what it counted, and signed with a recent proof."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted
from liaison.auth.journal import named_reviews
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.named_reviews import AlreadySigned, Content, Review
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.store import faults
from liaison.services.pages import clock, entering
from liaison.services.pages.audit.answer import Answer, answer
from liaison.services.pages.audit.question import Question, Unread, asked
from liaison.services.pages.audit.still_open import still_open
from liaison.services.pages.calendar_words import last_day_before
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import signed_in

PATH: Final = "/journal/revues"
COUNTED: Final = {
    "visits": _("Visites"),
    "entries": _("Lignes du journal"),
    "people": _("Dossiers"),
    "emergencies": _("Visites en urgence"),
    "refused": _("Visites avec un refus"),
}
OPEN: Final = {
    "reviews": _("Accès d'urgence à revoir"),
    "unusual": _("Accès inhabituels à revoir"),
    "questions": _("Questions de patients sans réponse"),
    "cut": _("Réponse coupée : la période est trop longue"),
}


async def every(request: Request) -> Response:
    """GET: the list. POST: the search of an answer is kept under a name."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    if request.method == "GET":
        found = await named_reviews.readable(house.database.reading, house.vault, caller.organization)
        return render(request, "audit/revues.html", found=found, error="")
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    name = form.get("name", "")
    try:
        question = asked(parse_qsl(form.get("query", "")))
        found_now = await answer(house, caller, question, clock.now(request))
    except Unread as error:
        raise BadRequest(error.sentence) from None
    if not name or len(name) > named_reviews.LONGEST_NAME:
        found = await named_reviews.readable(house.database.reading, house.vault, caller.organization)
        words = translations(language_of(request)).gettext(_("Donnez un nom à la revue : 120 lettres au plus."))
        return render(request, "audit/revues.html", status=400, found=found, error=words)
    content = Content(
        name=name,
        query=_dated(question, found_now).query,
        rules=(await adopted.in_force(house.database.reading)).version,
        counts=_counts(found_now),
        open=await _open(request, found_now),
        by=me.name,
    )
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            number = await named_reviews.save(connection, house.vault, caller.organization, content)
            detail = {"act": Act.REVIEW_SAVED, "review": number}
            told = entry(
                caller, Event.JOURNAL_READ, request=entering.asked(request), query=content.query, detail=detail
            )  # fmt: skip
            await house.journal.record_within(connection, (told,))
    return RedirectResponse(f"{PATH}/{number}", status_code=303)


async def one(request: Request) -> Response:
    return _show(request, await found_by(request), "")


async def sign(request: Request) -> Response:
    """With the numbers of this moment, which may have changed since it was saved."""
    caller, me = await signed_in(request)
    house, found = request.app.state.house, await found_by(request)
    # A browser counts the end of a line as one letter, and sends two.
    remark = str((await request.form()).get("remark", "")).replace("\r\n", "\n").strip()
    if len(remark) > named_reviews.LONGEST_REMARK:
        words = translations(language_of(request)).gettext(_("Votre remarque est trop longue : 1 000 lettres au plus."))
        return _show(request, found, words, remark)
    now = await answer(house, caller, asked(parse_qsl(found.content.query)), clock.now(request))
    waits = await _open(request, now)
    try:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await named_reviews.sign(
                    connection, house.vault, found.number,
                    by=me.name, counts=_counts(now), still_open=waits, remark=remark,
                )  # fmt: skip
                detail = {"act": Act.REVIEW_SIGNED, "review": found.number}
                told = entry(
                    caller, Event.JOURNAL_READ, request=entering.asked(request), query=found.content.query, detail=detail
                )  # fmt: skip
                await house.journal.record_within(connection, (told,))
    except AlreadySigned:
        words = translations(language_of(request)).gettext(_("Cette revue est déjà signée."))
        return _show(request, await found_by(request), words)
    return RedirectResponse(f"{PATH}/{found.number}", status_code=303)


async def found_by(request: Request) -> Review:
    """The one that the address names, if the caller may read it. Raises NotFound."""
    caller, _me = await signed_in(request)
    house, given = request.app.state.house, str(request.path_params["number"])
    if not (given.isascii() and given.isdecimal() and 0 < len(given) < 19 and int(given)):
        raise NotFound
    found = await named_reviews.readable(house.database.reading, house.vault, caller.organization, int(given))
    if not found:
        raise NotFound
    return found[0]


def _show(request: Request, found: Review, error: str, remark: str = "") -> Response:
    question = asked(parse_qsl(found.content.query))
    since, until = question.period(clock.now(request))
    return render(
        request,
        "audit/revue.html",
        status=400 if error else 200,
        revue=found,
        question=question,
        since=since,
        until=until,
        counted=COUNTED,
        open_words=OPEN,
        error=error,
        remark=remark,
    )


def _dated(question: Question, found: Answer) -> Question:
    """With its days, so that it asks the same on another day."""
    return question.asking(du=found.since.date().isoformat(), au=last_day_before(found.until).isoformat())


def _counts(found: Answer) -> dict[str, int]:
    return {
        "visits": len(found.visits),
        "entries": sum(len(one.lines) for one in found.visits),
        "people": len({line.record.patient for one in found.visits for line in one.lines} - {0}),
        "emergencies": sum(one.emergency for one in found.visits),
        "refused": sum(bool(one.refused) for one in found.visits),
    }


async def _open(request: Request, found: Answer) -> Mapping[str, int]:
    """What an officer of this structure has still to deal with, whatever the question."""
    return {**(await still_open(request))._asdict(), "cut": int(found.cut or found.refusals_cut)}
