"""What a grant means, in plain words: which data, to do what, for how long. French source; English in the catalogue."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from liaison.auth.oauth2.rfc6749.refresh_tokens import lifetime
from liaison.auth.smart.grammar import Scope
from liaison.auth.smart.scopes import Scopes
from liaison.services.oauth import criteria, kinds_of_data
from liaison.services.pages.marking import Gettext, _

_ACTS: Final = (
    ("rs", _("consulter")),
    ("c", _("ajouter")),
    ("u", _("modifier")),
    ("d", _("effacer")),
)
READING: Final = "rs"
WRITING: Final = "cud"
IDENTITY: Final = "identity"
LASTING: Final = "lasting"
_OPENID: Final = ("openid", "fhirUser", "profile")
_LASTING: Final = ("offline_access", "online_access")


class Line(NamedTuple):
    """One line of the consent page, with a box of its own: which data, and what the software may do with them. `kinds`: those
    that « everything » stands for."""

    value: str
    data: str
    acts: str
    kinds: tuple[str, ...] = ()


def lines(scopes: Scopes, gettext: Gettext, language: str = "fr") -> list[Line]:
    """Every permission asked for, reading and changing apart; nothing is left out because it has no pretty name."""
    return [
        Line(
            f"{place}.{letters}",
            _data(scope, gettext, language),
            _acts(scope, letters, gettext),
            tuple(kinds_of_data.all_of_it(gettext)) if scope.type_ == "*" and letters == _told_with(scope) else (),
        )
        for place, scope in enumerate(scopes.scopes)
        for letters in (READING, WRITING)
        if set(letters) & set(scope.letters)
    ]


def _told_with(scope: Scope) -> str:
    """The line that tells the kinds: once, with what is read if anything is."""
    return READING if set(READING) & set(scope.letters) else WRITING


def chosen(asked: Scopes, boxes: Collection[str]) -> Scopes:
    """What is left of a request when only these boxes stay ticked; never more than was asked. What an app needs to
    hear whom and what is meant (`launch`, `launch/patient`, `launch/encounter`) is no permission, and has no box."""
    kept = []
    for place, scope in enumerate(asked.scopes):
        wanted = "".join(letters for letters in (READING, WRITING) if f"{place}.{letters}" in boxes)
        letters = "".join(letter for letter in scope.letters if letter in wanted)
        if letters:
            kept.append(Scope(scope.context, scope.type_, letters, scope.criteria))
    refused = [*(() if IDENTITY in boxes else _OPENID), *(() if LASTING in boxes else _LASTING)]
    return Scopes(kept, asked.names.difference(refused))


def _data(scope: Scope, gettext: Gettext, language: str) -> str:
    """'Mesures et résultats (seulement les constantes)'."""
    data, only = kinds_of_data.called(scope.type_, gettext), criteria.told(scope, gettext, language)
    return f"{data} ({', '.join(only)})" if only else data


def _acts(scope: Scope, within: str, gettext: Gettext) -> str:
    held = set(scope.letters) & set(within)
    return ", ".join(gettext(text) for letters, text in _ACTS if set(letters) & held)


def until(scopes: Scopes, now: datetime) -> datetime | None:
    """The last moment at which the software can act if it keeps its access without asking again; None when it cannot,
    and has five minutes."""
    seconds = lifetime(str(scopes))
    return now + timedelta(seconds=seconds) if seconds else None


def outlasting(scopes: Scopes) -> bool:
    """Whether that goes on when the person has signed out."""
    return "offline_access" in scopes.names
