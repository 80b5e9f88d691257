"""Affaires: what is done once two readers found that an access is not justified, or is to be reported.

Asking an administrator to suspend, asking the employer, deciding whether the person is told and the CNIL notified (72 hours
from the first reader's word, GDPR art. 33), and closing with a PDF. Each step has its reason, and is an entry of the journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.unusual import accesses, cases
from liaison.auth.unusual.cases import CNIL, Case, Step, Taken
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.audit import reviews, unusual
from liaison.services.pages.audit.acts_said import STEPS
from liaison.services.pages.audit.to_review import OUTCOMES, Line, Person, names, people
from liaison.services.pages.audit.unusual import number_of, records_of, reference
from liaison.services.pages.entering import asked, go, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

PATH: Final = "/journal/affaires"
CHOICES: Final = {
    Step.ASK_SUSPENSION: _("Demander la suspension de son accès"),
    Step.ASK_EMPLOYER: _("Interroger l'employeur"),
    Step.EMPLOYER_ANSWERED: _("Noter la réponse de l'employeur"),
    Step.TELL_PERSON: _("Informer la personne"),
    Step.NOT_TELL_PERSON: _("Ne pas informer la personne"),
    Step.PERSON_TOLD: _("Noter que la personne est informée"),
    Step.NOTIFY: _("Notifier à la CNIL"),
    Step.NOT_NOTIFY: _("Ne pas notifier à la CNIL"),
    Step.CLOSE: _("Clore l'affaire"),
}
_PROBLEMS: Final = {
    400: _("Choisissez une étape et dites pourquoi."),
    409: _(
        "Informer la personne et notifier à la CNIL se décident une fois : « ne pas informer » et « ne pas notifier » peuvent encore changer, pas l'inverse. L'affaire se clôt une seule fois, quand les deux sont décidés."
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as pages have it. `left` is the hours until the notification is due, below 0 once it is late; None once decided."""

    case: Case
    kind: str
    outcome: str
    who: Person
    structure: str
    patient: str
    steps: list[Taken]
    readers: dict[int, str]
    left: int | None
    where: str

    @property
    def record(self) -> str:
        return self.patient[:6]

    @property
    def telling(self) -> bool:
        """Whether it is decided that the person is told, and nobody has noted that they were."""
        return Step.PERSON_TOLD in self.following

    @property
    def following(self) -> frozenset[Step]:
        """The steps that may be taken next."""
        return cases.may_follow({one.kind for one in self.steps})


async def every(request: Request) -> Response:
    """GET: those of the caller, open ones first."""
    caller, _me = await signed_in(request)
    with faults.reported():
        found = await cases.seen(request.app.state.house.database.reading, caller)
    told = entry(caller, Event.JOURNAL_READ, request=asked(request), returned=len(found), detail={"act": Act.CASES})
    await note(request, told)
    return render(request, "audit/cases.html", found=await shown(request, found))


async def one(request: Request) -> Response:
    """GET: a case. POST `etape` and `pourquoi`: the next step."""
    gettext = translations(language_of(request)).gettext
    number = number_of(str(request.path_params["number"]))
    form: dict[str, str] = {}
    error, status = "", 200
    if request.method == "POST":
        # A browser counts the end of a line as one letter, and sends two.
        form = {name: str(value).replace("\r\n", "\n").strip() for name, value in (await request.form()).items()}
        try:
            await _take(request, number, form)
        except (BadRequest, Conflict) as refusal:
            error, status = gettext(_PROBLEMS[refusal.status]), refusal.status
        else:
            return go(request, f"{PATH}/{number}")
    case = await read(request, number)
    return render(
        request,
        "audit/case.html",
        status=status,
        one=case,
        names=STEPS,
        writes=case.telling and await may_write(request, case),
        choices={step: words for step, words in CHOICES.items() if step in case.following},
        given=form,
        error=error,
    )


async def read(request: Request, number: int) -> Shown:
    """One of the caller's, journaled. Raises NotFound."""
    caller, _me = await signed_in(request)
    with faults.reported():
        case = await cases.one(request.app.state.house.database.reading, caller, number)
    detail = {"act": Act.CASE, "case": case.number}
    await note(request, entry(caller, Event.JOURNAL_READ, patient=case.patient, request=asked(request), detail=detail))
    [found] = await shown(request, [case])
    return found


async def may_write(request: Request, case: Shown) -> bool:
    """Whether this officer may have the person's name: a case is seen by who acted too, and the record may be of others."""
    caller, _me = await signed_in(request)
    return bool(await request.app.state.house.audit.answers_for(caller, case.case.patient))


async def _take(request: Request, number: int, form: dict[str, str]) -> None:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    if form.get("etape") not in {step.value for step in CHOICES}:
        raise BadRequest("No such step.")
    step = Step(form["etape"])
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            case = await cases.take(connection, house.vault, caller, number, step, form.get("pourquoi", ""))
            detail = {"act": Act.CASE_STEP, "case": case.number, "step": step.value}
            told = entry(caller, Event.OPERATION, patient=case.patient, request=asked(request), detail=detail)
            await house.journal.record_within(connection, (told,))


async def shown(request: Request, found: Sequence[Case]) -> list[Shown]:
    """With the names that the directory has, under the reader's own rights."""
    caller, _me = await signed_in(request)
    house, gettext = request.app.state.house, translations(language_of(request)).gettext
    record = Record(house.engine, caller, address_of(request))
    with faults.reported():
        steps = {one.number: await cases.steps(house.database.reading, house.vault, one) for one in found}
        patients = await records_of(request, [one.patient for one in found])
    roles = {one.role: reference(request, "PractitionerRole", one.role) for one in found}
    who = await people(record, roles.values(), gettext)
    places = {one.organization: reference(request, "Organization", one.organization) for one in found}
    structures = await names(record, places.values(), "Organization")
    by = {res: reference(request, "Practitioner", res) for taken in steps.values() for res in {one.by for one in taken}}
    readers = await names(record, by.values())
    now = clock.now(request)
    return [
        Shown(
            one,
            kind_of_access(one, gettext),
            gettext(OUTCOMES[one.outcome]),
            who.get(roles[one.role], Person()),
            structures.get(places[one.organization], ""),
            patients.get(one.patient, ""),
            steps[one.number],
            {res: readers.get(name, "") for res, name in by.items()},
            left(one, steps[one.number], now),
            _where(request, one),
        )
        for one in found
    ]


async def access(request: Request, one: Shown) -> tuple[Line, dict[str, str]]:
    """The access that the case is about, as its own page has it, and the names of those who wrote about it. Raises NotFound."""
    caller, _me = await signed_in(request)
    gettext = translations(language_of(request)).gettext
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if one.case.kind == accesses.KIND:
        line = await unusual.line_of(request, record, one.case.about, gettext)
    else:
        task = await record.read(f"Task/{one.where.rpartition('/')[2]}")
        if task is None:
            raise NotFound
        [line] = await reviews.lines_of(record, [task], gettext)
    return line, await names(record, [note.by for note in line.notes])


def kind_of_access(case: Case, gettext: Gettext) -> str:
    return gettext(unusual.KIND if case.kind == accesses.KIND else reviews.KINDS.get(case.kind, case.kind))


def left(case: Case, steps: Sequence[Taken], now: datetime) -> int | None:
    """Whole hours until 72 have passed; below 0 afterwards; None once the notification is decided."""
    if {one.kind for one in steps} & CNIL:
        return None
    return int((case.notify_by - now).total_seconds() // 3600)


def _where(request: Request, case: Case) -> str:
    """The page of the access."""
    if case.kind == accesses.KIND:
        return f"{unusual.PATH}/{case.about}"
    house = request.app.state.house
    return f"{reviews.PATH}/{house.store.id(Key(case.patient, kind_of('Task'), case.about))}"
