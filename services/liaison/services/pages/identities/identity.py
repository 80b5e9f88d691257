"""Identité: what a record says of who the person is, what was checked of it, how it is corrected, and a merge taken back."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import deaths
from liaison.auth.access.identity import is_merged, provisional, status_of
from liaison.auth.access.traits import BIRTHPLACE, birth_name, traits_of
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import Place, own_place
from liaison.services.pages.entering import go
from liaison.services.pages.identities import traits
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reception.person import Incomplete, patient
from liaison.services.pages.reception.too_many import too_many, until_then
from liaison.services.pages.reception.welcome import KINDS, MISSING, SEXES, STATUSES
from liaison.services.pages.record import Refused

Tree = dict[str, Any]


_TYPED: Final = ("birth", "family", "given", "sex", "birthplace", "ins")
_CALLED: Final = frozenset({"RECUP", "QUAL"})
_WORDS: Final = {
    "status": _("Dites ce que vous avez vérifié."),
    "shown": _("Notez ce que montre le téléservice INS : tous les traits."),
    "number": _("Une identité qualifiée a son INS : notez-le, avec tous les traits."),
    "several": _(
        "Cet INS est celui d’un autre dossier. L’identité est validée, sans l’INS. Un doublon est signalé : comparez les deux dossiers s’ils vous sont ouverts."
    ),
}
_REFUSED: Final = {
    400: _("Il manque un trait, l’INS ou sa clé ; ou l’identité est dite douteuse, homonyme ou fictive."),
    403: _("Votre rôle ne tient pas l’identité de cette personne."),
    409: _("Quelqu’un vient de modifier ce dossier : voici ce qu’il en est."),
    412: _("Quelqu’un vient de modifier ce dossier : voici ce qu’il en est."),
    422: _("Cela ne peut pas être enregistré : ce que le dossier dit de la personne ne le permet pas."),
}


async def show(request: Request) -> Response:
    place = await own_place(request)
    return await shown(request, place, await patient_or_404(place.record, place.id), {})


async def verified(request: Request) -> Response:
    """`$identify`: a paper was seen, the INSi teleservice was called, or there is a doubt."""
    place = await own_place(request)
    tree = await patient_or_404(place.record, place.id)
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    say, status = translations(language_of(request)).gettext, form.get("status", "")
    if status not in dict(STATUSES):
        return await shown(request, place, tree, form, say(_WORDS["status"]), "status-PROV", 422)
    try:
        seen = patient(form) if any(form.get(name) for name in _TYPED) else None
    except Incomplete as missing:
        return await shown(request, place, tree, form, say(MISSING[missing.said]), missing.field, 422)
    if status in _CALLED and (seen is None or (status == "QUAL" and not form.get("ins"))):
        words, field = ("shown", "birth") if seen is None else ("number", "ins")
        return await shown(request, place, tree, form, say(_WORDS[words]), field, 422)
    if seen is not None and (other := traits.differences(seen, tree)):
        told = ", ".join(say(one).lower() for one in other)
        words = say(_("Le dossier dit autre chose pour : %(traits)s. Corrigez-le d’abord, ou c’est quelqu’un d’autre."))
        return await shown(request, place, tree, form, words % {"traits": told}, "corriger", 422)
    parts: list[Tree] = [{"name": "status", "valueCode": status}]
    if seen is not None:
        parts.append({"name": "patient", "resource": seen})
    try:
        answer = await place.record.operate(
            f"Patient/{place.id}/$identify", {"resourceType": "Parameters", "parameter": parts}
        )
    except Refused as refused:
        return await refused_with(request, place, form, refused)
    if any(part.get("valueCode") == "duplicate" for part in answer["parameter"]):
        tree = await patient_or_404(place.record, place.id)
        return await shown(request, place, tree, {}, say(_WORDS["several"]), "doublons", 409)
    return go(request, f"{place.path}/identite")


async def correct(request: Request) -> Response:
    """The strict traits as they should be. What was checked is to be checked again: the identity is provisional, without its
    INS."""
    place = await own_place(request)
    tree = await patient_or_404(place.record, place.id)
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    say = translations(language_of(request)).gettext
    try:
        stated = patient({**form, "ins": ""})
    except Incomplete as missing:
        return await shown(request, place, tree, form, say(MISSING[missing.said]), f"juste-{missing.field}", 422)
    try:
        await place.record.update(corrected(tree, stated))
    except Refused as refused:
        return await refused_with(request, place, form, refused)
    return go(request, f"{place.path}/identite")


async def unmerge(request: Request) -> Response:
    place = await own_place(request)
    await patient_or_404(place.record, place.id)
    try:
        await place.record.operate(f"Patient/{place.id}/$unmerge", {"resourceType": "Parameters"})
    except Refused as refused:
        return await refused_with(request, place, {}, refused)
    return go(request, f"{place.path}/identite")


def corrected(tree: Tree, stated: Tree) -> Tree:
    """The Patient with these strict traits, provisional. What else its name of birth says stays, but for what follows from
    what was changed."""
    name = birth_name(tree)
    given = [*stated["name"][0]["given"], *(name.get("given") or ())[1:]]
    new = {**name, "family": stated["name"][0]["family"], "given": given}
    new.pop("text", None)
    if given[:1] != list(name.get("given") or ())[:1]:
        kept = [one for one in name.get("extension") or () if not str(one.get("url", "")).endswith(traits.GIVEN_NAMES)]
        new = {key: value for key, value in new.items() if key != "extension"} | ({"extension": kept} if kept else {})
    names = [new if one is name else one for one in tree.get("name") or ()]
    traits_ = {"name": names if name else [new], "gender": stated["gender"], "birthDate": stated["birthDate"]}
    changed = {**tree, **traits_}
    if stated.get("extension"):
        others = [one for one in tree.get("extension") or () if one.get("url") != BIRTHPLACE]
        changed["extension"] = [*others, *stated["extension"]]
    return provisional(changed)


async def refused_with(request: Request, place: Place, form: dict[str, str], refused: Refused) -> Response:
    """The page again, with what the engine said in words. Raises what it has no words for."""
    say = translations(language_of(request)).gettext
    if refused.answered not in (429, *_REFUSED):
        raise refused
    words = too_many(say, refused) if refused.answered == 429 else say(_REFUSED[refused.answered])
    tree = await patient_or_404(place.record, place.id)
    return until_then(await shown(request, place, tree, form, words, "verifiee", refused.answered), refused)


async def shown(
    request: Request,
    place: Place,
    tree: Tree,
    form: dict[str, str],
    error: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    say = translations(language_of(request)).gettext
    who, known = identity(tree), traits_of(tree)
    name = birth_name(tree)
    recorded = {
        "family": str(name.get("family", "")),
        "given": next((str(one) for one in name.get("given") or ()), ""),
        "birth": who.born,
        "sex": who.gender,
        "birthplace": known.birthplace,
    }
    correcting, typed = wrong.startswith("juste-"), {name: value for name, value in form.items() if value}
    return render(
        request,
        "identities/identity.html",
        status=status,
        patient=tree,
        who=who,
        today=place.record.now().date(),
        lines=traits.of(tree, say),
        merged=is_merged(tree),
        linked=await _linked(place, tree),
        provisional=status_of(tree) in ("", "PROV"),
        statuses=STATUSES,
        sexes=SEXES,
        kinds=KINDS,
        given={
            "ins_kind": "10" if getattr(request.app.state, "sandbox", False) else "8",
            **({} if correcting else form),
        },
        # What was typed in the other form is not taken for a correction, unless it is what differs.
        dates_deaths=deaths.dated_by(place.me.role_code),
        right={**recorded, **(typed if correcting or wrong == "corriger" else {})},
        error=error,
        wrong=wrong,
    )


async def _linked(place: Place, tree: Tree) -> list[tuple[str, Identity | None]]:
    """The records that this one was merged with: the address of each, and who it says; None where it is not open to me."""
    found = []
    for link in tree.get("link") or ():
        if link.get("type") in ("replaced-by", "replaces"):
            reference = str((link.get("other") or {}).get("reference", ""))
            other = await place.record.read(reference)
            found.append((f"/dossiers/{reference.partition('/')[2]}", identity(other) if other else None))
    return found
