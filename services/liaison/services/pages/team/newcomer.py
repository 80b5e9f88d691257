"""What a manager has typed of someone who begins in her structure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from liaison.auth.access.roles import ROLES
from liaison.auth.people import managers
from liaison.auth.people.managers import Person
from liaison.fhir.model.check_digits import luhn_ok
from liaison.services.pages.marking import _
from liaison.services.pages.team import days
from liaison.services.pages.team.days import NotComplete


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who begins in the manager's structure. `rpps`: their national number, '' where the role has none; `acts_for`: the
    res of the PractitionerRole in whose place, or under whom, they work. `who`: which of those whom the directory knows by
    that name they are said to be, by reference; ANOTHER for none of them, '' while that is not said."""

    family: str
    given: str
    role: str
    since: date
    until: date | None = None
    rpps: str = ""
    acts_for: int = 0
    authorisation: str = ""
    who: str = ""

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


ANOTHER: Final = "oui"
_DIGITS: Final = 11
STANDINGS: Final = {
    "inscrit": _("Inscrit à l’Ordre"),
    "etudiant": _("Étudiant, avec une licence de remplacement"),
}
_REFERENCE: Final = re.compile(r"[\w /.-]{3,40}")


def entered(
    form: dict[str, str], gives: Collection[str], mine: Sequence[Person], today: date, answers: int = 0
) -> Newcomer:
    """Raises NotComplete. A role that she may not give reads like none; `mine` are those whom one may stand in for, unless
    it is for the role `answers`, her own, in any case."""
    family, given = form.get("nom", ""), form.get("prenom", "")
    if not family or not given:
        raise NotComplete("nom", _("Le nom et le prénom sont nécessaires."))
    role = next(iter(gives)) if len(gives) == 1 else form.get("fonction", "")
    if role not in gives:
        raise NotComplete("fonction", _("Choisissez ce que cette personne fait dans votre structure."))
    rpps = form.get("rpps", "").replace(" ", "")
    if managers.needs_number(role) and not is_rpps(rpps):
        raise NotComplete("rpps", _("Le numéro RPPS a 11 chiffres : celui-ci manque ou comporte une erreur."))
    acts_for = (answers or _answering(form.get("pour", ""), mine)) if managers.stands_in(role) else 0
    since = days.first(form.get("debut", ""), today)
    until = days.last(form.get("fin", ""), since, today, needed=managers.is_dated(role))
    authorisation = authorised(form, since, until) if role == "substitute" else ""
    if until is not None and managers.is_dated(role):
        days.check_length(since, until, student=False)
    return Newcomer(
        family,
        given,
        role,
        since,
        until,
        rpps if managers.needs_number(role) else "",
        acts_for,
        authorisation,
        who=form.get("homonyme", ""),
    )


def authorised(form: dict[str, str], since: date, until: date | None, *, spent: str = "") -> str:
    """The reference of the authorisation, which is personal and dated; a licence to replace is not one (R.4127-65, D.4131-2).
    Each council has its own way to number them: what is asked for is a reference, with figures. `spent`: one that does not
    reach to this last day. Raises NotComplete."""
    standing, typed = form.get("statut", ""), form.get("autorisation", "")
    if not typed:
        raise NotComplete(
            "autorisation", _("Un remplacement a un numéro d’autorisation, donné par le conseil de l’Ordre.")
        )
    if not _REFERENCE.fullmatch(typed) or not re.search("[1-9]", typed) or len(re.findall("[0-9]", typed)) < 2:
        raise NotComplete(
            "autorisation",
            _(
                "Recopiez le numéro de l’autorisation tel que l’Ordre l’a écrit : il a des chiffres, et 40 signes au plus."
            ),
        )
    if spent and typed.casefold() == spent.casefold():
        raise NotComplete(
            "autorisation", _("Ce numéro est celui de l’autorisation qui s’arrête avant : une prolongation a le sien.")
        )
    if standing not in STANDINGS:
        raise NotComplete("statut", _("Dites si cette personne est inscrite à l’Ordre, ou étudiante."))
    if until is not None:
        days.check_length(since, until, student=standing == "etudiant")
    return typed


def _answering(typed: str, mine: Sequence[Person]) -> int:
    for one in mine:
        if str(one.role) == typed and one.active and ROLES[one.role_code].category == "health":
            return one.role
    raise NotComplete("pour", _("Choisissez le professionnel qu’elle remplace, ou qui en répond."))


def is_rpps(number: str) -> bool:
    """Eleven digits, the last of which is Luhn's check."""
    return len(number) == _DIGITS and luhn_ok(number)
