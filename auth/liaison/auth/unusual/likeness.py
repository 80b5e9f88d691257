"""Whether two people have a name, an address or a place in common, by tokens under the territory's identity key.

What is compared is never the name itself: each side becomes sixteen bytes, and only those meet. They are made when a rule
asks and kept nowhere.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.fhir.model.dates import span
from liaison.fhir.store.identity import normalise
from liaison.fhir.vault import Vault, context

FAMILY: Final = 65
NAME: Final = 66
ADDRESS: Final = 67
POSTAL: Final = 68
"""Spaces of tokens, beside those of liaison.fhir.store.identity."""
_KEPT: Final = re.compile(r"[^A-Z0-9]+")
Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Tokens; and of a patient, since when they are dead."""

    families: frozenset[bytes]
    names: frozenset[bytes]
    addresses: frozenset[bytes]
    postal: frozenset[str]
    """Tokens are of a part of the code, which is tuned: the codes stand here until `near` makes them."""
    died: datetime | None = None


def likeness(vault: Vault, tree: Tree, *, home: bool) -> Likeness:
    """Of a Patient, a Practitioner or an Organization. `home`: only addresses that are said to be where they live."""
    named = [one for one in tree.get("name") or () if isinstance(one, Mapping) and isinstance(one.get("family"), str)]
    families = {normalise(one["family"]) for one in named} - {""}
    names = {
        (normalise(one["family"]), normalise(given))
        for one in named
        for given in (one.get("given") or ())[:1]
        if isinstance(given, str)
    }
    lived = [one for one in tree.get("address") or () if one.get("use") not in ("old", "billing")]
    lived = [one for one in lived if one.get("use") == "home"] if home else lived
    return Likeness(
        frozenset(vault.identity_token(FAMILY, context(one)) for one in families),
        frozenset(vault.identity_token(NAME, context(*one)) for one in names if all(one)),
        frozenset(vault.identity_token(ADDRESS, context(one)) for one in map(_place, lived) if one),
        frozenset(str(one["postalCode"]) for one in lived if one.get("postalCode")),
        _died(tree),
    )


def near(vault: Vault, mine: Likeness, theirs: Likeness, digits: int) -> bool:
    """Whether some code of each begins alike; True where one of them has none, as nothing is known."""
    if not mine.postal or not theirs.postal:
        return True
    tokens = [
        {vault.identity_token(POSTAL, context(code[:digits])) for code in side} for side in (mine.postal, theirs.postal)
    ]
    return bool(tokens[0] & tokens[1])


def _place(address: Tree) -> str:
    """The lines with the postal code; '' where one of the two is missing."""
    lines = " ".join(one for one in address.get("line") or () if isinstance(one, str))
    code = str(address.get("postalCode") or "")
    plain = unicodedata.normalize("NFKD", lines.upper())
    return f"{_KEPT.sub('', plain)} {code}" if _KEPT.sub("", plain) and code else ""


def _died(tree: Tree) -> datetime | None:
    """A death without its date says nothing of how long ago it was."""
    found = span(str(tree.get("deceasedDateTime", "")))
    return found[0] if found else None
