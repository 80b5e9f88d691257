"""The three steps: look up, then join someone known or open the record of someone unknown."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import sentences
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
        return _show(request, "look", {})
    posted = await request.form()
    form = {name: str(value) for name, value in posted.items()}
    gettext = translations(language_of(request)).gettext
    try:
        stated = patient(form)
    except Incomplete as missing:
        return _show(request, "look", form, error=gettext(MISSING[missing.field]), status=400)
    try:
        match form.get("step"):
            case "register":
                return await _register(request, record, stated, form, [str(m) for m in posted.getlist("member")])
            case "join":
                return await _join(request, record, stated, form)
            case _:
                return await _look(request, record, stated, form, me.role_reference)
    except Refused as refused:
        return await _refused(request, record, form, refused, me.role_reference)


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


async def _refused(request: Request, record: Record, form: dict[str, str], refused: Refused, mine: str) -> Response:
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
    step = {"register": "register", "join": "known"}.get(form.get("step", ""), "look")
    team = await directory(record, mine) if step == "register" else []
    return _show(request, step, form, error=words, team=team, status=refused.answered)


def _show(request: Request, step: str, form: dict[str, str], *, status: int = 200, **context: Any) -> Response:
    given = {"error": "", "team": [], "reference": "", **context}
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
        words = next((sentences.label(code) for code in role.get("code", []) if sentences.label(code)), "")
        if name and reference_ != mine:
            lines.append((reference_, name, words))
    return sorted(lines, key=lambda line: line[1].casefold())


def _name(tree: Tree) -> str:
    name: Tree = next(iter(tree.get("name", [])), {})
    return str(name.get("text") or " ".join([*map(str, name.get("given", [])), str(name.get("family", ""))]).strip())


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
