"""What a form says of someone close to a person, as a RelatedPerson; and what is missing from it, or cannot be.

A representation carries its measure, who has seen the judgment or the document, on which day, and until when it lasts
(rule 22): parental authority until the child is of age, a guardianship or a family habilitation until the day of the judgment,
which has to be given; none for longer than `auth/access/lasting.py` lets it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from liaison.auth.access import lasting, vocabulary
from liaison.services.pages.marking import _

Tree = dict[str, Any]
_ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_ROLE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"

LINKS: Final = {
    "SPS": (_("Conjoint, conjointe"), _ROLE_CODE),
    "CHILD": (_("Enfant"), _ROLE_CODE),
    "PRN": (_("Père ou mère"), _ROLE_CODE),
    "SIB": (_("Frère ou sœur"), _ROLE_CODE),
    "FAMMEMB": (_("Autre membre de la famille"), _ROLE_CODE),
    "FRND": (_("Ami, amie"), _ROLE_CODE),
    "NBOR": (_("Voisin, voisine"), _ROLE_CODE),
    "GUARD": (_("Mandataire judiciaire, hors de la famille"), _ROLE_CLASS),
}
NOBODY: Final = "none"
MEASURES: Final = {
    NOBODY: _("Non"),
    "tutelle": _("Oui, par une tutelle"),
    "habilitation": _("Oui, par une habilitation familiale"),
    "parental-authority": _("Oui, par l’autorité parentale"),
}


class NotStated(ValueError):
    """Something is missing or cannot be: `field` is the name of the form's field, `words` are to be translated."""

    def __init__(self, field: str, words: str) -> None:
        self.field, self.words = field, words
        super().__init__(field)


class Representation(NamedTuple):
    """`until`: the last day of the measure."""

    measure: str
    seen_on: date
    until: date


def relative(patient: Tree, form: Mapping[str, str], seen_by: str, today: date) -> Tree:
    """The RelatedPerson that the form states. `seen_by`: the reference of whoever fills it in. Raises NotStated."""
    family, given, link = form.get("family", ""), form.get("given", ""), form.get("link", "")
    if not family:
        raise NotStated("family", _("Écrivez son nom."))
    if not given:
        raise NotStated("given", _("Écrivez son prénom."))
    if link not in LINKS:
        raise NotStated("link", _("Dites qui c’est pour la personne."))
    words, system = LINKS[link]
    tree: Tree = {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": {"reference": f"Patient/{patient['id']}"},
        "relationship": [{"coding": [{"system": system, "code": link, "display": words}]}],
        "name": [{"use": "official", "family": family, "given": [given]}],
    }
    if form.get("phone"):
        tree["telecom"] = [{"system": "phone", "value": form["phone"]}]
    stated = representation(patient, form, today)
    if stated is not None:
        tree["extension"] = [_extension(stated, seen_by)]
        tree["period"] = {"start": today.isoformat(), "end": stated.until.isoformat()}
    return tree


def representation(patient: Tree, form: Mapping[str, str], today: date) -> Representation | None:
    """None for someone who represents nobody. Raises NotStated."""
    measure = form.get("measure") or NOBODY
    if measure == NOBODY:
        return None
    if measure not in vocabulary.MEASURES:
        raise NotStated("measure", _("Dites si elle ou il représente la personne, et par quelle mesure."))
    seen_on = _day(form, "seen")
    if seen_on is None or seen_on > today:
        raise NotStated("seen", _("Dites quel jour vous avez vu le jugement ou le document : aujourd’hui ou avant."))
    until = _day(form, "until")
    if lasting.longest(measure, seen_on) < today:
        raise NotStated("seen", _("Ce jour est trop ancien : demandez le jugement ou le document d’aujourd’hui."))
    if measure == lasting.PARENTAL:
        last = lasting.minority(str(patient.get("birthDate", "")))
        if last is None or last < today:
            raise NotStated("measure", _("L’autorité parentale est celle d’un enfant : la personne a 18 ans ou plus."))
        until = min(until or last, last)
    if until is None or until < today:
        raise NotStated("until", _("Donnez le dernier jour de la mesure, qui n’est pas passé : le jugement le dit."))
    if until > lasting.longest(measure, seen_on):
        raise NotStated("until", _("Une mesure dure 20 ans au plus : donnez le dernier jour que dit le jugement."))
    return Representation(measure, seen_on, until)


def decided(tree: Tree, patient: Tree, form: Mapping[str, str], seen_by: str, today: date) -> Tree:
    """The same person, by a measure that is new, or was renewed. An account that they have stays theirs. Raises NotStated."""
    stated = representation(patient, form, today)
    if stated is None:
        raise NotStated("measure", _("Dites si elle ou il représente la personne, et par quelle mesure."))
    before = ended(tree)
    period = {"start": (tree.get("period") or {}).get("start") or today.isoformat(), "end": stated.until.isoformat()}
    return {**before, "extension": [*before.get("extension", []), _extension(stated, seen_by)], "period": period}


def ended(tree: Tree) -> Tree:
    """The same person, who represents nobody any more. The versions before say until when they did."""
    left = {name: part for name, part in tree.items() if name not in ("extension", "period")}
    kept = [one for one in tree.get("extension", []) if one.get("url") != vocabulary.REPRESENTATION]
    return {**left, "extension": kept} if kept else left


def _extension(stated: Representation, seen_by: str) -> Tree:
    return {
        "url": vocabulary.REPRESENTATION,
        "extension": [
            {"url": "measure", "valueCode": stated.measure},
            {"url": "seenBy", "valueReference": {"reference": seen_by}},
            {"url": "seenOn", "valueDate": stated.seen_on.isoformat()},
        ],
    }


def _day(form: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(form[name]) if form.get(name) else None
    except ValueError:
        raise NotStated(name, _("Ce n’est pas une date.")) from None
