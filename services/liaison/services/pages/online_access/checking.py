"""The identity of a patient, or of who represents them, looked at by staff who see the record: which document, on which
day. An administrator, who does not read records, opens the account on that, and gives the link by whoever has seen them."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import extension
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import accounts, identity_checks
from liaison.auth.people.accounts import Account
from liaison.auth.people.identity_checks import Check, NotChecked
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.online_access.words import DOCUMENTS
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import human_name

Tree = dict[str, Any]


_REFUSED: Final = {
    "nobody": _("Dites de qui vous avez vu l’identité, et sur quelle pièce."),
    "known": _("Cette personne a déjà un compte."),
    "unrepresented": _(
        "Le dossier ne dit pas que cette personne représente le patient en ce moment, pièce vue par un professionnel."
    ),
    "day": _("Le jour où vous avez vu la pièce est aujourd’hui, ou l’un des 90 derniers jours."),
}
_WRONG: Final = {"day": "vue"}


class Someone(NamedTuple):
    """Who may have an account for this record. `account`: the one they have; `check`: what an administrator waits on."""

    reference: str
    name: str
    key: Key
    account: Account | None
    check: Check | None
    represents: bool


async def checking(request: Request) -> Response:
    """GET: who may have an account, and what was looked at. POST: what was looked at."""
    place = await own_place(request)
    patient = await patient_or_404(place.record, place.id)
    everybody = await _everybody(request, place.record, patient)
    if request.method == "GET":
        return _show(request, patient, everybody, {})
    form = {name: str(value).strip()[:128] for name, value in (await request.form()).items()}
    someone = next((one for one in everybody if one.reference == form.get("personne")), None)
    house, problem = request.app.state.house, "nobody"
    try:
        if someone is None:
            raise NotChecked("nobody")
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                document = form.get("piece", "")
                await identity_checks.record(
                    connection, someone.key, by=place.me.account.number, document=document, seen_on=_day(form)
                )
                told = {"act": Act.IDENTITY_CHECKED, "document": document, "person": someone.key.res}
                noted = entry(
                    place.caller, Event.RIGHTS, patient=someone.key.patient, request=asked(request), detail=told
                )
                await house.journal.record_within(connection, (noted,))
    except NotChecked as refused:
        problem = refused.why
    else:
        return go(request, f"{place.path}/acces")
    words = translations(language_of(request)).gettext(_REFUSED[problem])
    return _show(request, patient, everybody, form, words, _WRONG.get(problem, "personne"))


def _day(form: dict[str, str]) -> date | None:
    """Raises NotChecked for what is no day; None for today."""
    try:
        return date.fromisoformat(form["vue"]) if form.get("vue") else None
    except ValueError:
        raise NotChecked("day") from None


async def _everybody(request: Request, record: Record, patient: Tree) -> list[Someone]:
    """The patient, everyone of the record whom it calls a representative, and who is named in a permission."""
    house = request.app.state.house
    related = await found(record, "RelatedPerson", {"patient": f"Patient/{patient['id']}"})
    reading, people = house.database.reading, [patient]
    with faults.reported():
        for one in related:
            key = house.store.key("RelatedPerson", one["id"])
            named = key is not None and await identity_checks.stands_for(reading, key)
            if named or extension(one, vocabulary.REPRESENTATION):
                people.append(one)
    keys = [house.store.key(one["resourceType"], one["id"]) for one in people]
    someone = []
    with faults.reported():
        checks = {one.person: one for one in await identity_checks.waiting(reading, [key for key in keys if key])}
        for tree, key in zip(people, keys, strict=True):
            if key is None:
                raise NotFound
            held = await accounts.of_person(reading, key)
            reference = f"{tree['resourceType']}/{tree['id']}"
            name = identity(tree).full if tree is patient else human_name(tree)
            someone.append(
                Someone(
                    reference,
                    name,
                    key,
                    held[0] if held else None,
                    checks.get(key),
                    bool(extension(tree, vocabulary.REPRESENTATION)),
                )
            )
    return someone


def _show(
    request: Request,
    patient: Tree,
    everybody: list[Someone],
    form: dict[str, str],
    error: str = "",
    wrong: str = "",
) -> Response:
    gettext: Callable[[str], str] = translations(language_of(request)).gettext
    today = clock.now(request).date()
    return render(
        request,
        "online_access/checking.html",
        status=422 if error else 200,
        patient=patient,
        who=identity(patient),
        today=today,
        everybody=everybody,
        documents=[(code, gettext(words)) for code, words in DOCUMENTS.items()],
        words={code: gettext(words) for code, words in DOCUMENTS.items()},
        given=form,
        error=error,
        wrong=wrong,
    )
