"""What a manager has typed of someone who begins in her structure."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from liaison.auth.access.roles import ROLES
from liaison.auth.people import managers
from liaison.auth.people.managers import Person
from liaison.fhir.model.check_digits import luhn_ok
from liaison.services.pages.team.staff import PARIS, Newcomer


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


class NotComplete(ValueError):
    """`field` of the form, and what is wrong with it, to be translated."""

    def __init__(self, field: str, words: str) -> None:
        self.field, self.words = field, words
        super().__init__(words)


_DIGITS: Final = 11


def entered(form: dict[str, str], gives: Collection[str], mine: Sequence[Person], answers: int = 0) -> Newcomer:
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
    return Newcomer(
        family,
        given,
        role,
        rpps if managers.needs_number(role) else "",
        _until(form.get("fin", ""), needed=managers.is_dated(role)),
        (answers or _answering(form.get("pour", ""), mine)) if managers.stands_in(role) else 0,
        _authorised(form.get("autorisation", "")) if role == "substitute" else "",
    )


def _authorised(typed: str) -> str:
    """The authorisation is personal and dated; a licence to replace is not one (R.4127-65, D.4131-2)."""
    if not re.fullmatch(r"[\w /.-]{3,40}", typed):
        raise NotComplete(
            "autorisation", _("Un remplacement a un numéro d’autorisation, donné par le conseil de l’Ordre.")
        )
    return typed


def _until(typed: str, *, needed: bool) -> date | None:
    if not typed and not needed:
        return None
    if not typed:
        raise NotComplete("fin", _("Un remplacement ou un stage a un dernier jour."))
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        raise NotComplete("fin", _("La date de fin n’est pas une date.")) from None
    if until < datetime.now(PARIS).date():
        raise NotComplete("fin", _("La date de fin est passée."))
    return until


def _answering(typed: str, mine: Sequence[Person]) -> int:
    for one in mine:
        if str(one.role) == typed and one.active and ROLES[one.role_code].category == "health":
            return one.role
    raise NotComplete("pour", _("Choisissez le professionnel qu’elle remplace, ou qui en répond."))


def is_rpps(number: str) -> bool:
    """Eleven digits, the last of which is Luhn's check."""
    return len(number) == _DIGITS and luhn_ok(number)
