"""An identity line by line, as two are laid side by side and one is checked against a document."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from liaison.auth.access.identity import matricules, status_of
from liaison.auth.access.traits import birth_name, traits_of
from liaison.fhir.store.identity import normalise
from liaison.services.pages.marking import _
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.identity import STATUSES, identity

Tree = dict[str, Any]
Say = Callable[[str], str]


_SEXES: Final = {"female": _("Femme"), "male": _("Homme"), "other": _("Indéterminé"), "unknown": _("Inconnu")}
GIVEN_NAMES: Final = "birth-list-given-name"
"""How the extension of a name ends that lists all the given names of birth (fr-core-patient-birth-list-given-name)."""
STRICT: Final = (
    ("family", _("Nom de naissance")),
    ("given", _("Premier prénom")),
    ("birth_date", _("Date de naissance")),
    ("sex", _("Sexe")),
    ("birthplace", _("Commune de naissance, code INSEE")),
)
"""The strict traits (RNIV), by the names that liaison.auth.access.traits has for them."""


class Trait(NamedTuple):
    """`words` is '' where the record does not say; `compared`: the same without case and accents. `born`: a date, to be
    written in the reader's language."""

    label: str
    words: str
    compared: str
    born: bool = False


class Line(NamedTuple):
    """One trait of two records. `different`: both say it, and not the same."""

    label: str
    one: str
    other: str
    born: bool
    different: bool


def of(tree: Tree, say: Say) -> list[Trait]:
    """All that tells who someone is."""
    who, name, strict = identity(tree), birth_name(tree), traits_of(tree)
    listed = next((str(one["valueString"]) for one in name.get("extension") or () if _is_list(one)), "")
    given = listed or " ".join(str(one) for one in name.get("given") or ())
    numbers = ", ".join(value for _system, value in matricules(tree))
    family = str(name.get("family", ""))
    sex, status = _SEXES.get(who.gender, ""), STATUSES.get(status_of(tree), "")
    return [
        Trait(say(_("Nom de naissance")), family, normalise(family)),
        Trait(say(_("Prénoms de naissance")), given, normalise(given)),
        Trait(say(_("Nom utilisé")), who.used, normalise(who.used)),
        Trait(say(_("Date de naissance")), who.born, who.born, born=True),
        Trait(say(_("Sexe")), say(sex) if sex else "", who.gender),
        Trait(say(_("Commune de naissance, code INSEE")), strict.birthplace, strict.birthplace),
        Trait(say(_("INS")), numbers, numbers),
        Trait(say(_("Statut de l’identité")), say(status) if status else "", status),
    ]


def _is_list(extension: Tree) -> bool:
    return str(extension.get("url", "")).endswith(GIVEN_NAMES) and bool(extension.get("valueString"))


def side_by_side(one: Tree, other: Tree, now: datetime, say: Say) -> list[Line]:
    """Each trait of both, those that differ marked; then where each lives and how they are reached."""
    ways = [" · ".join(text for text, _link in contact(tree, now, say)) for tree in (one, other)]
    reached = [Trait(say(_("Coordonnées")), told, normalise(told)) for told in ways]
    both = [*zip(of(one, say), of(other, say), strict=True), (reached[0], reached[1])]
    return [
        Line(
            mine.label,
            mine.words,
            theirs.words,
            mine.born,
            bool(mine.words and theirs.words) and mine.compared != theirs.compared,
        )
        for mine, theirs in both
    ]


def differences(seen: Tree, recorded: Tree) -> list[str]:
    """The labels of the strict traits that both say, and not the same."""
    mine, theirs = traits_of(seen), traits_of(recorded)
    return [
        label
        for name, label in STRICT
        if getattr(mine, name) and getattr(theirs, name) and getattr(mine, name) != getattr(theirs, name)
    ]
