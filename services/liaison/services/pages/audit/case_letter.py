"""The letter of a case to the person whose record it is (GDPR art. 34), once it is decided that they are told.

Nobody needs an account or an address here to be told: it is printed, completed by hand, and noted as sent. It has the name and
the postal address, which an officer reads nowhere else: printing it is an entry, with the decision's own words as its reason.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.unusual.cases import Step
from liaison.fhir.errors import NotFound
from liaison.services.pages import clock
from liaison.services.pages.audit import cases
from liaison.services.pages.audit.naming import patient_behind
from liaison.services.pages.audit.unusual import number_of
from liaison.services.pages.calendar_words import moment_said
from liaison.services.pages.clock import PARIS
from liaison.services.pages.entering import asked, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.reading.contact import postal
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import signed_in

TITLE: Final = _("Un accès à votre dossier partagé n'était pas justifié")
_WHAT: Final = _("Le %(at)s, %(who)s a ouvert votre dossier, ou a demandé à l'ouvrir.")
_BODY: Final = (
    _("Deux personnes chargées de contrôler les accès ont jugé que cet accès n'était pas justifié, ou l'ont signalé. Nous avons décidé de vous en informer (règlement général sur la protection des données, article 34)."),
    _("Vous pouvez savoir qui a ouvert votre dossier, demander des explications, vous opposer à tout partage, et saisir la CNIL (www.cnil.fr)."),
)  # fmt: skip
_BY_HAND: Final = (_("Ce qui a pu être lu, et ce que cela peut entraîner pour vous"), _("Ce qui a été fait"))


async def letter(request: Request) -> Response:
    """The PDF. Raises NotFound where it is not decided, is noted as done, or the record is not theirs."""
    caller, me = await signed_in(request)
    language = language_of(request)
    gettext = translations(language).gettext
    case = await cases.read(request, number_of(str(request.path_params["number"])))
    if not case.telling or not await cases.may_write(request, case):
        raise NotFound
    reason = next(one.text for one in case.steps if one.kind == Step.TELL_PERSON)
    detail = {"act": Act.CASE_LETTER, "case": case.case.number}
    patient = case.case.patient
    await note(
        request, entry(caller, Event.EXPORT, patient=patient, request=asked(request), reason=reason, detail=detail)
    )
    tree = await patient_behind(request, caller, case.patient)
    line, _writers = await cases.access(request, case)
    at = moment_said(line.at.astimezone(PARIS), "d MMMM y, HH:mm", language) if line.at else ""
    who = ", ".join(filter(None, (case.who.name, case.who.role, case.structure)))
    parts = [
        Part("text", ", ".join(filter(None, (me.name, me.role_label, me.organization_name)))),
        Part("heading", identity(tree).full),
        *(Part("text", one) for one in postal(tree, clock.now(request))),
        Part("title", gettext(TITLE)),
        Part("text", gettext(_WHAT) % {"at": at, "who": who}),
        *(Part("text", gettext(one)) for one in _BODY),
    ]
    for one in _BY_HAND:
        parts += [Part("blank"), Part("field", gettext(one))]
    parts += [Part("blank"), Part("field", gettext(_("Date"))), Part("field", gettext(_("Signature")))]
    return printed(request, parts, gettext(TITLE), language, f"lettre-affaire-{case.case.number}")
