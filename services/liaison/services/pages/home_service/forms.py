"""Les formulaires: the forms of a visit, what the manager changes of their order and words, a look at the telephone's size, and their
publication as a version that stays.

Nothing is kept before it is published: what is being changed goes from page to page with the form. Who publishes after somebody else
sees what the other has changed, and loses nothing of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.entry import Event, entry
from liaison.fhir.errors import BadRequest, FhirError, NotFound
from liaison.fhir.model import dump, read, validate
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.protocols import codes, library
from liaison.protocols.answers import items
from liaison.protocols.forms import FIXED, NEEDED, READY, arranged, canonical, of_service
from liaison.protocols.publishing import (
    MEASURED,
    Change,
    Refusal,
    Why,
    changes,
    moved,
    refusals,
    whole,
    without,
    worded,
)
from liaison.services import visit_forms
from liaison.services.house import House
from liaison.services.pages.home_care.answering import in_words
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import SignedIn, address_of, signed_in
from liaison.services.visit_forms import InForce

Tree = dict[str, Any]
PATH: Final = "/service/formulaires"
LARGEST: Final = 192 * 1024
"""Bytes of a Questionnaire that is sent as a file."""
_WHY: Final = {
    Why.TYPE: _("le téléphone ne sait pas montrer ce type de question."),
    Why.NO_LINK: _("son linkId manque, est utilisé deux fois, ou est réservé (lettres, chiffres et tirets)."),
    Why.NO_WORDS: _("il n'y a pas de mots."),
    Why.TOO_LONG: _("les mots ne tiennent pas sur l'écran : 200 lettres au plus."),
    Why.NO_CHOICES: _("il n'y a pas de réponses à choisir, ou l'une n'a ni code ni mots à elle."),
    Why.UNKNOWN_CODE: _("le code d'une réponse n'est pas dans la liste de Liaison."),
    Why.TOO_MANY_CHOICES: _("trop de réponses : cinq au plus, et « Je ne sais pas » ; dix à cocher."),
    Why.TOO_MANY_ITEMS: _("trop de questions : quarante au plus."),
    Why.REPEATS: _("plusieurs réponses ne vont qu'avec des réponses à choisir."),
    Why.NESTED: _("un groupe ne contient que des questions, et une question n'en contient pas."),
    Why.EMPTY: _("ce groupe est vide."),
    Why.UNIT: _("une quantité a besoin de son unité."),
    Why.BOUNDS: _("le plus petit dépasse le plus grand."),
    Why.CONDITION_ON_NOTHING: _("elle dépend d'une question qui n'est pas dans le formulaire."),
    Why.CONDITION: _("le téléphone ne sait pas comparer ce dont elle dépend."),
    Why.BEHAVIOR: _("elle dépend de plusieurs réponses : dites si toutes ou une seule suffit (enableBehavior)."),
    Why.MISSING: _("le téléphone ne peut pas s'en passer."),
    Why.RED_REMOVED: _("une de ses réponses donne une alerte rouge : elle reste."),
    Why.LEVEL: _("un niveau d'alerte n'est pas celui du modèle."),
    Why.CHANGED: _("elle ne veut plus dire ce que dit le modèle : codes, type, unité ou bornes."),
    Why.ALERT: _("un niveau d'alerte n'existe pas."),
}
_OTHERWISE: Final = _(
    "Quelqu'un a publié une version entre-temps. Rien n'est perdu : voici vos changements à côté d'elle."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being changed. `tree`: with the questions that are off, which `off` names; `base`: the version it was begun on."""

    tree: Tree
    off: frozenset[str]
    base: int

    @property
    def form(self) -> Tree:
        return without(self.tree, self.off)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a manager is: which form, what is in force, and who asks."""

    code: str
    model: Tree
    force: InForce
    signed: SignedIn
    say: Gettext


async def every(request: Request) -> Response:
    """Each form with its version in force."""
    caller, _me = await signed_in(request)
    force = await visit_forms.in_force(request.app.state.house.database, caller.organization)
    lines = [(code, force[model]) for code, model in READY.items()]
    shown = [(code, one, len(arranged(one.form).in_order)) for code, one in lines]
    return render(request, "home_service/forms.html", forms=shown, published=request.query_params.get("publie", ""))


async def one(request: Request) -> Response:
    """One form: to be changed, looked at, and published."""
    place = await _place(request)
    if request.method == "GET":
        tree, off = whole(place.force.form, place.model)
        return _edit(request, place, Draft(tree, off, place.force.version))
    filled = await request.form()
    act = str(filled.get("agir", ""))
    if act == "fichier":
        return await _brought(request, place, filled)
    draft = _draft(filled)
    if act in ("voir", "fautes"):
        return _look(request, place, draft, faults=act == "fautes")
    if act == "publier":
        return await _publish(request, place, draft)
    where, _colon, link = act.partition(":")
    if where in ("monter", "descendre"):
        tree = moved(draft.tree, link, -1 if where == "monter" else 1)
        return _edit(request, place, Draft(tree, draft.off, draft.base), at=link)
    return _edit(request, place, draft)


async def _place(request: Request) -> Place:
    signed = await signed_in(request)
    code = request.path_params["code"]
    if code not in READY:
        raise NotFound
    model = READY[code]
    force = await visit_forms.in_force(request.app.state.house.database, signed.caller.organization)
    say = translations(language_of(request)).gettext
    return Place(code, library.shipped().tree(model), force[model], signed, say)


def _draft(filled: FormData) -> Draft:
    """What the page before had, with what was typed on it. Raises BadRequest for what is no page of ours."""
    try:
        tree = read(str(filled.get("contenu", "")).encode())
        base = int(str(filled.get("base", "")))
        validate(tree, "Questionnaire")
    except (ValueError, FhirError):
        raise BadRequest("The form that is being changed did not come back whole.") from None
    texts, answers = {}, {}
    for name, value in filled.multi_items():
        kind, _dot, rest = name.partition(".")
        link, _slash, code = rest.partition("/")
        if kind == "texte" and isinstance(value, str):
            texts[link] = " ".join(value.split())
        elif kind == "mot" and isinstance(value, str):
            answers[link, code] = " ".join(value.split())
    if "pose-tous" in filled:
        asked = {str(one) for one in filled.getlist("pose")}
        off = frozenset(one["linkId"] for one in tree["item"] if one["linkId"] not in {*asked, *NEEDED})
    else:
        off = frozenset(str(filled.get("sans", "")).split())
    return Draft(worded(tree, texts, answers), off, base)


async def _brought(request: Request, place: Place, filled: FormData) -> Response:
    """A Questionnaire as a file, made with another editor: looked at like any other change, and refused by the same rules."""
    sent = filled.get("fichier")
    content = await sent.read() if isinstance(sent, UploadFile) else b""
    tree, off = whole(place.force.form, place.model)
    draft = Draft(tree, off, place.force.version)
    if not content or len(content) > LARGEST:
        return _edit(request, place, draft, problem=place.say(_("Choisissez un fichier de moins de 190 ko.")))
    try:
        brought = read(content)
        validate(brought, "Questionnaire")
    except (ValueError, FhirError) as error:
        said = place.say(_("Ce fichier n'est pas un Questionnaire FHIR R4 en JSON."))
        named = "; ".join(f"{one.expression} {one.diagnostics}" for one in getattr(error, "issues", [])[:3])
        return _edit(request, place, draft, problem=f"{said} {named}".strip())
    return _look(request, place, Draft(brought, frozenset(), draft.base))


def _edit(request: Request, place: Place, draft: Draft, *, problem: str = "", at: str = "") -> Response:
    free = [tree["linkId"] for tree in draft.tree["item"] if tree["linkId"] not in FIXED]
    return render(
        request,
        "home_service/form.html",
        status=422 if problem else 200,
        place=place,
        draft=draft,
        content=dump(draft.tree).decode(),
        told=arranged(draft.tree),
        first=free[:1],
        last=free[-1:],
        needed=NEEDED,
        problem=problem,
        at=at,
        levels=_LEVELS,
        raises=codes.RAISES,
    )


def _look(
    request: Request, place: Place, draft: Draft, *, status: int = 200, problem: str = "", faults: bool = False
) -> Response:
    """`faults`: as the telephone shows a visit that it does not take."""
    found = refusals(draft.form, place.model, library.shipped())
    can_be_shown = not any(one.why in _NOT_DRAWN for one in found)
    return render(
        request,
        "home_service/form_look.html",
        status=422 if found else status,
        place=place,
        draft=draft,
        content=dump(draft.tree).decode(),
        refused=_in_words(found, place.say),
        changes=_said(changes(place.force.form, draft.form)),
        problem=problem,
        texts={item.link: item.text for item in items(draft.tree)},
        faults=_faults(draft.form, place.say) if faults else {},
        told=arranged(draft.form) if can_be_shown else None,
    )


async def _publish(request: Request, place: Place, draft: Draft) -> Response:
    house: House = request.app.state.house
    caller, me = place.signed.caller, place.signed.me
    if draft.base < place.force.version and not changes(place.force.form, draft.form):
        return RedirectResponse(f"{PATH}?publie={place.code}", status_code=303)  # a second touch of the same button
    if draft.base != place.force.version:
        newer = Draft(draft.tree, draft.off, place.force.version)
        return _look(request, place, newer, status=409, problem=place.say(_OTHERWISE))
    if refusals(draft.form, place.model, library.shipped()) or not changes(place.force.form, draft.form):
        return _look(request, place, draft)
    version = place.force.version + 1
    service = me.organization_reference.partition("/")[2]
    now = Record(house.engine, caller).now()
    form = {
        **{name: value for name, value in draft.form.items() if name in _KEPT},
        "resourceType": "Questionnaire",
        "url": of_service(place.model["url"], service),
        "version": str(version),
        "derivedFrom": [canonical(place.model)],
        "title": place.model["title"],
        "status": "active",
        "subjectType": ["Patient"],
        "date": now.isoformat(timespec="seconds"),
        "publisher": me.organization_name,
        "useContext": [{"code": _VENUE, "valueReference": {"reference": me.organization_reference}}],
    }
    told = FhirRequest("POST", f"{PATH.lstrip('/')}/{place.code}", address=address_of(request))
    said = entry(caller, Event.OPERATION, request=told, detail={"form": canonical(form)})
    if not await visit_forms.publish(house, caller, place.model["url"], form, version, said):
        again = await _place(request)
        newer = Draft(draft.tree, draft.off, again.force.version)
        return _look(request, again, newer, status=409, problem=place.say(_OTHERWISE))
    return RedirectResponse(f"{PATH}?publie={place.code}", status_code=303)


def _faults(form: Tree, say: Gettext) -> dict[str, str]:
    """Each sentence that the telephone may point at a question with, where it stands."""
    missing = {item.link: "an answer is required" for item in items(form) if item.tree.get("required")}
    outside = {item.link: "between" for item in items(form) if item.tree["type"] in MEASURED}
    return {link: in_words(problem, say) for link, problem in {**outside, **missing}.items()}


def _in_words(found: Sequence[Refusal], say: Gettext) -> list[tuple[str, str]]:
    """The item as its reader knows it, and why."""
    return [(one.words or one.link, say(_WHY[one.why])) for one in found]


def _said(found: Sequence[Change]) -> dict[str, list[Change]]:
    """By what they are, in the order in which they are shown."""
    return {what: told for what in _KINDS if (told := [one for one in found if one.what == what])}


_LEVELS: Final = {"RED": _("Alerte rouge"), "ORANGE": _("Alerte orange"), "YELLOW": _("Alerte jaune")}
_KINDS: Final = ("added", "removed", "moved", "words", "answer", "other")
_NOT_DRAWN: Final = frozenset({Why.TYPE, Why.MISSING, Why.NO_CHOICES, Why.CONDITION, Why.NO_LINK, Why.NESTED})
_KEPT: Final = frozenset({"name", "description", "item", "language"})
_VENUE: Final = {"system": "http://terminology.hl7.org/CodeSystem/usage-context-type", "code": "venue"}
