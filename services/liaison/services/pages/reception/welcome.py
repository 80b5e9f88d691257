"""The steps of the reception desk: a date and three letters, then the whole identity, then join or open the record."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.join import StillUrgent
from liaison.auth.access.register import LONGEST_TOLD
from liaison.auth.access.roles import role_codes
from liaison.fhir.errors import Forbidden
from liaison.fhir.store.identity import LETTERS, normalise
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.classes import in_words, read_in_the_team
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.moments import over
from liaison.services.pages.reception.person import Incomplete, day_of_birth, patient
from liaison.services.pages.reception.received_for import NOBODY, received_for
from liaison.services.pages.reception.too_many import too_many, until_then
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import MEMBERS
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]


MISSING: Final = {
    "family": _("Le nom de naissance manque."),
    "given": _("Le premier prénom manque."),
    "birth": _("La date de naissance manque, ou n'est pas celle d'une personne d'aujourd'hui."),
    "birthplace": _("Le code INSEE de la commune de naissance a cinq caractères."),
    "postal": _("Le code postal a cinq chiffres."),
    "phone": _("Le téléphone n'est pas un numéro."),
    "long": _("Un nom ou une adresse a cent caractères au plus."),
    "unseen": _("Un nom ou une adresse a un caractère qui ne se voit pas : tapez-le de nouveau."),
    "sex": _("Le sexe manque."),
    "ins": _("Le matricule INS a 15 caractères, et sa nature est à préciser."),
    "ins_key": _("La clé de ce matricule INS (les deux derniers chiffres) ne correspond pas au reste : relisez-le."),
    "informed": _("Dites comment la personne a été informée de ce qui est partagé, et avec qui."),
    "opposed": _("Dites si la personne s'oppose au partage."),
    "basis": _("Dites à quel titre fait partie de son équipe chaque membre qui est coché."),
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
OPPOSED: Final = (
    ("no", _("Non")),
    ("yes", _("Oui, elle s'oppose à tout partage")),
    ("some", _("Oui, à une personne, à un service ou à l'urgence : je le note juste après")),
)
STEPS: Final = {"identite": "traits", "oppose": "opposed", "oppose-connue": "known-opposed"}
"""What an address says, and the step it shows."""
BASES: Final = (
    ("recognised", _("La personne l'a reconnue comme membre de son équipe")),
    ("same-structure", _("Même structure que moi")),
    ("formal-organisation", _("Organisation formelle (maison de santé, CPTS, appui à la coordination)")),
)
"""Those of L.1110-12 that a desk states."""
MEANS: Final = (("oral", _("À l'oral")), ("paper", _("Par écrit, feuille remise")), ("digital", _("En ligne")))


@dataclass(frozen=True, slots=True)
class Choice:
    """Someone, or a structure, who may be in the team. `basis` is likely, `never` cannot be; `role` is '' for a structure."""

    reference: str
    name: str
    role: str
    basis: str
    never: str


async def welcome(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if request.method == "GET":
        return _show(request, STEPS.get(request.query_params.get("etape", ""), "look"), {})
    posted = await request.form()
    form = {name: str(value) for name, value in posted.items()}
    members = [str(m) for m in posted.getlist("member")]
    gettext = translations(language_of(request)).gettext
    try:
        if form.get("step") == "look":
            return await _letters(request, record, form, me)
        stated = patient(form)
        match form.get("step"):
            case "register":
                return await _register(request, record, stated, form, members)
            case "join":
                return await _join(request, record, stated, form)
            case "oppose":
                answer = await record.operate("Patient/$register", parameters(patient=stated, opposed=True))
                return _opposed(request, answer, form)
            case _:
                return await _look(request, record, stated, form, me)
    except Incomplete as missing:
        words = gettext(MISSING[missing.said])
        return await _again(request, record, form, me, words, 400, members)
    except Refused as refused:
        return await _refused(request, record, form, refused, me, members)
    except Forbidden:
        return _show(request, "look", form, error=gettext(NOBODY), status=403)


async def _letters(request: Request, record: Record, form: dict[str, str], me: Me) -> Response:
    """The first question. Unknown: the record can be opened. Known: the whole identity says whether it is this person."""
    letters = normalise(form.get("letters", ""))
    try:
        birth = day_of_birth(form.get("birth", ""))
    except Incomplete as error:
        raise Incomplete("letters") from error
    if not 1 <= len(letters) <= LETTERS:
        raise Incomplete("letters")
    found = await record.operate("Patient/$lookup", first_question(letters, birth))
    if result(found) == "unknown":
        return await _to_open(request, record, form, me)
    return _show(request, "traits", form, begun=True)


async def _look(request: Request, record: Record, stated: Tree, form: dict[str, str], me: Me) -> Response:
    found = await record.operate("Patient/$lookup", parameters(patient=stated))
    if result(found) == "unknown":
        return await _to_open(request, record, form, me)
    where = reference(found)
    person = await record.read(where) if where else None
    return _show(request, "known", form, reference=where, who=identity(person) if person else None)


async def _to_open(
    request: Request, record: Record, form: dict[str, str], me: Me, *, status: int = 200, **context: Any
) -> Response:
    """The form by which a record is opened; with whom, for whom the desk receives on the team already."""
    received, team = await received_for(record), await choices(record, me)
    if received is not None:
        first = [one for one in team if one.reference == received.reference]
        team = first + [one for one in team if one.reference != received.reference]
    return _show(request, "register", form, status=status, team=team, received=received, **context)


async def _register(
    request: Request, record: Record, stated: Tree, form: dict[str, str], members: list[str]
) -> Response:
    for field, known in (("informed", MEANS), ("opposed", OPPOSED)):  # nothing is opened to share without either
        if form.get(field) not in dict(known):
            raise Incomplete(field)
    if (received := await received_for(record)) is not None:
        members = [received.reference, *(one for one in members if one != received.reference)]
    answer = await record.operate(
        "Patient/$register",
        parameters(
            patient=stated,
            status=form.get("status", "PROV"),
            informed=form["informed"],
            opposed=form["opposed"] == "yes",
            members={one: _basis(form, one) for one in members},
            told=await told(record, members),
        ),
    )
    where = reference(answer)
    if form["opposed"] == "yes":
        return _opposed(request, answer, form)
    if result(answer) == "known" and not where:
        return _show(request, "known", form, unsaid="some" if form["opposed"] == "some" else "")
    after = "/opposition" if form["opposed"] == "some" else ""
    return RedirectResponse(f"/dossiers/{where.partition('/')[2]}{after}", status_code=303)


def _basis(form: dict[str, str], member: str) -> str:
    """On which ground of L.1110-12 a member is on the team. Raises Incomplete when none, or another, is said."""
    stated = form.get(f"basis-{member}", "")
    if stated not in dict(BASES):
        raise Incomplete(f"basis-{member}", "basis")
    return stated


def _opposed(request: Request, answer: Tree, form: dict[str, str]) -> Response:
    """An opposition to all sharing counts at once, also for who recorded it. Where it is not recorded, the page says so."""
    if part(answer, "opposition").get("valueCode") != "recorded":
        return _show(request, "known", form, unsaid="several", status=409)
    step = "oppose" if result(answer) == "created" else "oppose-connue"
    return RedirectResponse(f"/accueillir?etape={step}", status_code=303)


async def told(record: Record, members: list[str]) -> str:
    """What the person was told, as the sheet says it (R.1110-3): which information, and who receives it. In French: it is
    kept in the record."""
    table, names, nature = await adopted.in_force(record.engine.store.database), [], Class(0)
    roles = [one.partition("/")[2] for one in members if one.startswith("PractitionerRole/")]
    for tree in await record.search("PractitionerRole", {"_id": ",".join(roles), "_count": "200"}) if roles else []:
        person = str((tree.get("practitioner") or {}).get("display", ""))
        words = next((label(code) for code in tree.get("code", []) if label(code)), "")
        names.append(" ".join(filter(None, (person, f"({words.lower()})" if words else ""))))
        for code in role_codes(tree):
            nature |= read_in_the_team(table, code)
    shared = ", ".join(in_words(nature, str)) or "ce que lit la profession de chacun"
    given = f"Informations : {shared}. Destinataires : {', '.join(names) or 'le professionnel qui accueille'}."
    return f"{given} Feuille d'information, règles version {table.version}."[:LONGEST_TOLD]


async def _join(request: Request, record: Record, stated: Tree, form: dict[str, str]) -> Response:
    made = parameters(
        patient=stated, ground="recognised", means=form.get("means", ""), informed=bool(form.get("informed"))
    )
    where = reference(await record.operate("Patient/$join", made))
    return RedirectResponse(f"/dossiers/{where.partition('/')[2]}", status_code=303)


async def _refused(
    request: Request, record: Record, form: dict[str, str], refused: Refused, me: Me, members: list[str]
) -> Response:
    """The same page again with what was typed, and one sentence. A 404 is one neutral answer, whatever the reason."""
    gettext = translations(language_of(request)).gettext
    if refused.answered == 404:
        words = gettext(_("Cela n'a pas abouti. Vérifiez l'identité avec la personne, pièce en main."))
    elif refused.answered == 403:
        words = gettext(
            _(
                "Votre fonction n'entre pas dans une équipe. Le professionnel pour qui vous travaillez y entre, ou il y est invité : vous verrez alors la personne."
            )
        )
    elif refused.answered == 409 and refused.issues[0].code == StillUrgent.code:
        words = gettext(
            _(
                "Vous avez ouvert ce dossier en urgence. Terminez d'abord cet accès. Puis, si la personne vous reconnaît, revenez ici."
            )
        )
    elif refused.answered == 429:
        words = too_many(gettext, refused)
    elif refused.answered in (400, 422):
        words = gettext(
            _(
                "Une information manque ou n'est pas acceptable : une identité qualifiée demande l'INS et tous les traits."
            )
        )
    else:
        raise refused
    return until_then(await _again(request, record, form, me, words, refused.answered, members), refused)


async def _again(
    request: Request, record: Record, form: dict[str, str], me: Me, words: str, status: int, members: list[str]
) -> Response:
    step = {"register": "register", "join": "known", "oppose": "known", "look": "look"}.get(
        form.get("step", ""), "traits"
    )
    if step == "register":
        return await _to_open(request, record, form, me, error=words, chosen=members, status=status)
    return _show(request, step, form, error=words, status=status)


def _show(request: Request, step: str, form: dict[str, str], *, status: int = 200, **context: Any) -> Response:
    given = {
        "error": "",
        "team": [],
        "chosen": [],
        "received": None,
        "reference": "",
        "begun": False,
        "unsaid": "",
        "who": None,
        **context,
    }
    # A sandbox knows test matricules only; elsewhere they are the real ones.
    form = {"ins_kind": "10" if request.app.state.sandbox else "8", **form}
    choices: dict[str, Any] = {
        "statuses": STATUSES,
        "means": MEANS,
        "sexes": SEXES,
        "kinds": KINDS,
        "oppositions": OPPOSED,
        "bases": BASES,
    }
    return render(request, "reception/welcome.html", status=status, step=step, given=form, **choices, **given)


async def choices(record: Record, me: Me) -> list[Choice]:
    """Those who can be chosen for the team, the people first, then the structures; with the basis that is likely."""
    people = await directory(record, me.role_reference, among=MEMBERS)
    ours = set()
    if me.organization_reference:
        found = {"organization": me.organization_reference, "active": "true", "_count": "200"}
        ours = {f"PractitionerRole/{tree['id']}" for tree in await record.search("PractitionerRole", found)}
    listed = [
        Choice(
            one,
            name,
            role,
            "same-structure" if one in ours else "recognised",
            "same-structure" if one not in ours else "",
        )
        for one, name, role in people
    ]
    known = await record.search("Organization", {"active": "true", "_sort": "name", "_count": "200"}, most=400)
    named = [(f"Organization/{tree['id']}", str(tree["name"])) for tree in known if tree.get("name")]
    return listed + [Choice(one, name, "", "recognised", "same-structure") for one, name in named]


async def directory(record: Record, mine: str, *, among: AbstractSet[str] | None = None) -> list[tuple[str, str, str]]:
    """(reference, name, role) of those who work here, still or soon, but for `mine`. `among`: only those who hold one of
    these roles, such as MEMBERS; a DPO, an auditor or a call handler is in no category of R.1110-2."""
    roles = await record.search(
        "PractitionerRole", {"active": "true", "_include": "PractitionerRole:practitioner", "_count": "200"}, most=500
    )
    people = {f"Practitioner/{t['id']}": t for t in roles if t["resourceType"] == "Practitioner"}
    lines = []
    for role in (tree for tree in roles if tree["resourceType"] == "PractitionerRole"):
        reference_, person = f"PractitionerRole/{role['id']}", role.get("practitioner", {})
        name = str(person.get("display") or _name(people.get(str(person.get("reference")), {})))
        words = next((label(code) for code in role.get("code", []) if label(code)), "")
        held = among is None or not among.isdisjoint(role_codes(role))
        if name and reference_ != mine and held and not over(role.get("period", {}), record.now()):
            lines.append((reference_, name, words))
    return sorted(lines, key=lambda line: line[1].casefold())


def _name(tree: Tree) -> str:
    name: Tree = next(iter(tree.get("name", [])), {})
    return str(name.get("text") or " ".join([*map(str, name.get("given", [])), str(name.get("family", ""))]).strip())


def first_question(letters: str, birth: date) -> Tree:
    parts = [{"name": "letters", "valueString": letters}, {"name": "birthDate", "valueDate": birth.isoformat()}]
    return {"resourceType": "Parameters", "parameter": parts}


def parameters(*, patient: Tree, members: dict[str, str] | None = None, told: str = "", **values: str | bool) -> Tree:
    """A Parameters resource; empty texts are left out. Each member has its legal basis."""
    parts: list[Tree] = [{"name": "patient", "resource": patient}]
    for name, value in values.items():
        if isinstance(value, bool):
            parts.append({"name": name, "valueBoolean": value})
        elif value:
            parts.append({"name": name, "valueCode": value})
    if told:
        parts.append({"name": "told", "valueString": told})
    for member, basis in (members or {}).items():
        stated = [{"url": vocabulary.LEGAL_BASIS, "valueCode": basis}]
        parts.append({"name": "member", "valueReference": {"extension": stated, "reference": member}})
    return {"resourceType": "Parameters", "parameter": parts}


def result(answer: Tree) -> str:
    return str(part(answer, "result").get("valueCode", ""))


def reference(answer: Tree) -> str:
    return str(part(answer, "patient").get("valueReference", {}).get("reference", ""))


def part(answer: Tree, name: str) -> Tree:
    found: Tree = next((part for part in answer.get("parameter", []) if part.get("name") == name), {})
    return found
