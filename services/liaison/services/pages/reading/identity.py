"""A person as screens must show them: birth name, used name, birth date and sex always visible (RNIV, identitovigilance).

https://esante.gouv.fr/produits-services/referentiel-ins
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from unicodedata import combining, normalize

from liaison.auth.access.identity import status_of

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


STATUSES: Final = {
    "PROV": _("Identité provisoire"),
    "VALI": _("Identité validée"),
    "RECUP": _("Identité récupérée"),
    "QUAL": _("Identité qualifiée"),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """`used` is '' when it is the birth name, however it is spelt; `called` is how the family name is written for people.
    `status` is '' when the record does not say. `birth` is None when the date is missing or partial."""

    family: str
    given: str
    used: str
    called: str
    birth: date | None
    gender: str
    status: str
    deceased: bool

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

    def age(self, today: date) -> int | None:
        if self.birth is None:
            return None
        return today.year - self.birth.year - ((today.month, today.day) < (self.birth.month, self.birth.day))


def identity(patient: Tree) -> Identity:
    """Reads a Patient in the shape of FR Core; what is missing stays empty rather than guessed."""
    names = patient.get("name", [])
    official: Tree = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    usual: Tree = next((n for n in names if n.get("use") == "usual"), {})
    born = str(patient.get("birthDate", ""))
    used = str(usual.get("family", ""))
    family = str(official.get("family", "") or official.get("text", ""))
    return Identity(
        family=family,
        given=next((str(one) for name in (usual, official) for one in name.get("given", []) if one), ""),
        used="" if _plain(used) == _plain(family) else used,
        called=used or family,
        birth=date.fromisoformat(born) if len(born) == 10 else None,
        gender=str(patient.get("gender", "")),
        status=status_of(patient),
        deceased=bool(patient.get("deceasedBoolean") or patient.get("deceasedDateTime")),
    )


def _plain(name: str) -> str:
    """Without case and accents: identity sources write birth names in plain capitals (RNIV)."""
    return "".join(letter for letter in normalize("NFD", name.casefold()) if not combining(letter))
