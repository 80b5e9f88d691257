"""A person as screens must show them: birth name, used name, birth date and sex always visible (RNIV, identitovigilance).

https://esante.gouv.fr/produits-services/referentiel-ins
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from unicodedata import combining, normalize

from liaison.auth.access.identity import status_of
from liaison.protocols.deaths import died
from liaison.services.pages.marking import _
from liaison.services.pages.reading import doubts, names

Tree = dict[str, Any]


STATUSES: Final = {
    "PROV": _("Identité provisoire"),
    "VALI": _("Identité validée"),
    "RECUP": _("Identité récupérée"),
    "QUAL": _("Identité qualifiée"),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """`used` is '' when it is the birth name, however it is spelt; `called` is how the family name is written for people.
    `status` is '' when the record does not say. `birth` is None when the date, `born`, is missing or partial; `died` is
    '' where it is not known when a person who is `deceased` died; `doubts` say why not to rely on it."""

    family: str
    given: str
    used: str
    called: str
    born: str
    gender: str
    status: str
    deceased: bool
    died: str
    doubts: tuple[str, ...] = ()

    @property
    def full(self) -> str:
        """Used name first where there is one, as people are called; the birth name stays visible."""
        name = f"{self.given} {self.called}".strip()
        return f"{name} (née {self.family})" if self.used and self.gender == "female" else (
            f"{name} (né {self.family})" if self.used else name
        )  # fmt: skip

    @property
    def short(self) -> str:
        """First name and initial, as a tour card shows it."""
        return f"{self.given} {self.called[:1]}.".strip()

    @property
    def sorting(self) -> str:
        return f"{self.called} {self.given}".casefold()

    @property
    def sex(self) -> str:
        return {"female": "F", "male": "M"}.get(self.gender, "I")

    @property
    def status_label(self) -> str:
        return STATUSES.get(self.status, "Statut d'identité non renseigné")

    @property
    def birth(self) -> date | None:
        return _whole(self.born)

    def age(self, today: date) -> int | None:
        """That of today, or of the day of death; None where either day is not known."""
        birth, end = self.birth, _whole(self.died) if self.deceased else today
        if birth is None or end is None:
            return None
        return end.year - birth.year - ((end.month, end.day) < (birth.month, birth.day))


def identity(patient: Tree) -> Identity:
    """Reads a Patient in the shape of FR Core; what is missing stays empty rather than guessed."""
    birth, usual = names.birth_and_use(patient)
    used = str(usual.get("family", ""))
    family = str(birth.get("family", "") or birth.get("text", ""))
    return Identity(
        family=family,
        given=next((str(one) for name in (usual, birth) for one in name.get("given", []) if one), ""),
        used="" if plain(used) == plain(family) else used,
        called=used or family,
        born=str(patient.get("birthDate", "")),
        gender=str(patient.get("gender", "")),
        status=status_of(patient),
        deceased=died(patient),
        died=str(patient.get("deceasedDateTime", "")),
        doubts=tuple(doubts.of(patient)),
    )


def _whole(day: str) -> date | None:
    """The day, where the date names one."""
    return date.fromisoformat(day[:10]) if len(day) >= 10 else None


def plain(name: str) -> str:
    """Without case and accents: identity sources write birth names in plain capitals (RNIV)."""
    return "".join(letter for letter in normalize("NFD", name.casefold()) if not combining(letter))
