"""The steps of the reception desk: a date and three letters, then the whole identity, then join or open the record."""

from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.store.identity import LETTERS, normalise
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reception.person import Incomplete, patient
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


MISSING: Final = {
    "family": _("Le nom de naissance manque."),
    "given": _("Le premier prénom manque."),
    "birth": _("La date de naissance manque ou n'est pas une date."),
    "sex": _("Le sexe manque."),
    "ins": _("Le matricule INS a 15 caractères, et sa nature est à préciser."),
    "letters": _(
        "Il faut la date de naissance et les trois premières lettres du nom (tout le nom s'il est plus court)."
    ),
}
STATUSES: Final = (
    ("PROV", _("Provisoire : aucune pièce vue, INS non appelé")),
    ("VALI", _("Validée : pièce d'identité vue")),
    ("RECUP", _("Récupérée : téléservice INS appelé")),
    ("QUAL", _("Qualifiée : pièce vue et INS récupéré")),
)
SEXES: Final = (("female", _("Femme")), ("male", _("Homme")), ("unknown", _("Inconnu")))
KINDS: Final = (("8", "NIR"), ("9", "NIA"), ("10", _("Test")), ("11", _("Démonstration")))
OPPOSED: Final = (("no", _("Non")), ("yes", _("Oui, elle s'oppose à tout partage")))
MEANS: Final = (("oral", _("À l'oral")), ("paper", _("Par écrit, feuille remise")), ("digital", _("En ligne")))


async def welcome(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if request.method == "GET":
        step = "traits" if request.query_params.get("etape") == "identite" else "look"
        return _show(request, step, {})
    posted = await request.form()
    form = {name: str(value) for name, value in posted.items()}
    mine, members = me.role_reference, [str(m) for m in posted.getlist("member")]
    gettext = translations(language_of(request)).gettext
    try:
        if form.get("step") == "look":
            return await _letters(request, record, form, mine)
        stated = patient(form)
        match form.get("step"):
            case "register":
                return await _register(request, record, stated, form, members)
            case "join":
                return await _join(request, record, stated, form)
            case _:
                return await _look(request, record, stated, form, mine)
    except Incomplete as missing:
        words = gettext(MISSING[missing.field])
        return await _again(request, record, form, mine, words, 400, members)
    except Refused as refused:
        return await _refused(request, record, form, refused, mine, members)


async def _letters(request: Request, record: Record, form: dict[str, str], mine: str) -> Response:
    """The first question. Unknown: the record can be opened. Known: the whole identity says whether it is this person."""
    letters = normalise(form.get("letters", ""))
    try:
        birth = date.fromisoformat(form.get("birth", ""))
    except ValueError as error:
        raise Incomplete("letters") from error
    if not 1 <= len(letters) <= LETTERS:
        raise Incomplete("letters")
    found = await record.operate("Patient/$lookup", first_question(letters, birth))
    if result(found) == "unknown":
        return _show(request, "register", form, team=await directory(record, mine))
    return _show(request, "traits", form, begun=True)


async def _look(request: Request, record: Record, stated: Tree, form: dict[str, str], mine: str) -> Response:
    found = await record.operate("Patient/$lookup", parameters(patient=stated))
    if result(found) == "unknown":
        return _show(request, "register", form, team=await directory(record, mine))
    return _show(request, "known", form, reference=reference(found))


async def _register(
    request: Request, record: Record, stated: Tree, form: dict[str, str], members: list[str]
) -> Response:
    answer = await record.operate(
        "Patient/$register",
        parameters(
            patient=stated,
            status=form.get("status", "PROV"),
            informed=form.get("informed", ""),
            opposed=form.get("opposed") == "yes",
            members=members,
        ),
    )
    where = reference(answer)
    if result(answer) == "known" and not where:
        return _show(request, "known", form, reference="")
    return RedirectResponse(f"/dossiers/{where.partition('/')[2]}", status_code=303)


async def _join(request: Request, record: Record, stated: Tree, form: dict[str, str]) -> Response:
    made = parameters(
        patient=stated, ground="recognised", means=form.get("means", ""), informed=bool(form.get("informed"))
    )
    where = reference(await record.operate("Patient/$join", made))
    return RedirectResponse(f"/dossiers/{where.partition('/')[2]}", status_code=303)


async def _refused(
    request: Request, record: Record, form: dict[str, str], refused: Refused, mine: str, members: list[str]
) -> Response:
    """The same page again with what was typed, and one sentence. A 404 is one neutral answer, whatever the reason."""
    gettext = translations(language_of(request)).gettext
    if refused.answered == 404:
        words = gettext(_("Cela n'a pas abouti. Vérifiez l'identité avec la personne, pièce en main."))
    elif refused.answered == 429:
        words = gettext(_("Trop d'essais. Attendez un peu avant de recommencer."))
    elif refused.answered in (400, 422):
        words = gettext(
            _(
                "Une information manque ou n'est pas acceptable : une identité qualifiée demande l'INS et tous les traits."
            )
        )
    else:
        raise refused
    return await _again(request, record, form, mine, words, refused.answered, members)


async def _again(
    request: Request, record: Record, form: dict[str, str], mine: str, words: str, status: int, members: list[str]
) -> Response:
    step = {"register": "register", "join": "known", "look": "look"}.get(form.get("step", ""), "traits")
    team = await directory(record, mine) if step == "register" else []
    return _show(request, step, form, error=words, team=team, chosen=members, status=status)


def _show(request: Request, step: str, form: dict[str, str], *, status: int = 200, **context: Any) -> Response:
    given = {"error": "", "team": [], "chosen": [], "reference": "", "begun": False, **context}
    # A sandbox knows test matricules only; elsewhere they are the real ones.
    form = {"ins_kind": "10" if request.app.state.sandbox else "8", **form}
    choices: dict[str, Any] = {
        "statuses": STATUSES,
        "means": MEANS,
        "sexes": SEXES,
        "kinds": KINDS,
        "oppositions": OPPOSED,
    }
    return render(request, "reception/welcome.html", status=status, step=step, given=form, **choices, **given)


async def directory(record: Record, mine: str) -> list[tuple[str, str, str]]:
    """(reference, name, role) of those who can be chosen for the team; whoever receives is on it already."""
    roles = await record.search(
        "PractitionerRole", {"active": "true", "_include": "PractitionerRole:practitioner", "_count": "200"}, most=500
    )
    people = {f"Practitioner/{t['id']}": t for t in roles if t["resourceType"] == "Practitioner"}
    lines = []
    for role in (tree for tree in roles if tree["resourceType"] == "PractitionerRole"):
        reference_, person = f"PractitionerRole/{role['id']}", role.get("practitioner", {})
        name = str(person.get("display") or _name(people.get(str(person.get("reference")), {})))
        words = next((label(code) for code in role.get("code", []) if label(code)), "")
        if name and reference_ != mine:
            lines.append((reference_, name, words))
    return sorted(lines, key=lambda line: line[1].casefold())


def _name(tree: Tree) -> str:
    name: Tree = next(iter(tree.get("name", [])), {})
    return str(name.get("text") or " ".join([*map(str, name.get("given", [])), str(name.get("family", ""))]).strip())


def first_question(letters: str, birth: date) -> Tree:
    parts = [{"name": "letters", "valueString": letters}, {"name": "birthDate", "valueDate": birth.isoformat()}]
    return {"resourceType": "Parameters", "parameter": parts}


def parameters(*, patient: Tree, members: list[str] | None = None, **values: str | bool) -> Tree:
    """A Parameters resource; empty texts are left out."""
    parts: list[Tree] = [{"name": "patient", "resource": patient}]
    for name, value in values.items():
        if isinstance(value, bool):
            parts.append({"name": name, "valueBoolean": value})
        elif value:
            parts.append({"name": name, "valueCode": value})
    parts += [{"name": "member", "valueReference": {"reference": member}} for member in members or []]
    return {"resourceType": "Parameters", "parameter": parts}


def result(answer: Tree) -> str:
    return str(_part(answer, "result").get("valueCode", ""))


def reference(answer: Tree) -> str:
    return str(_part(answer, "patient").get("valueReference", {}).get("reference", ""))


def _part(answer: Tree, name: str) -> Tree:
    found: Tree = next((part for part in answer.get("parameter", []) if part.get("name") == name), {})
    return found
