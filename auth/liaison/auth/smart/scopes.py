"""What a token was granted: its scopes together, and the upper bound they set on every interaction.

Implements liaison.fhir.store.contract.Bound. Scopes can only narrow what the visible set lets through.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from liaison.auth.smart.grammar import Scope, ScopeError, intersection, parse, widest
from liaison.fhir.errors import Forbidden
from liaison.fhir.store.contract import Interaction

__all__ = ["EVERYTHING", "Scope", "ScopeError", "Scopes", "read_scopes"]

NAMES: Final = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"}
)
"""The scopes that are no resource scopes. Any other name is left out of what is granted, as RFC 6749 §3.3 allows."""


class Scopes:
    """A set of scopes, read and canonical. Immutable; one instance may serve every request of a token.

    `patient/` scopes bind the whole session to one patient (`binds_patient`), even beside `user/` scopes: narrower
    than asked, never wider. `system/` beside another context is refused, since it would say two things of one caller.
    """

    def __init__(self, scopes: Iterable[Scope], names: Iterable[str] = ()) -> None:
        self.scopes = widest(scopes)
        self.names = frozenset(names) & NAMES
        contexts = {scope.context for scope in self.scopes}
        if "system" in contexts and len(contexts) > 1:
            raise ScopeError("system/ scopes do not go together with patient/ or user/ scopes.")
        self.context = "system" if "system" in contexts else "person"
        self.binds_patient = "patient" in contexts
        self._known: dict[tuple[str, str], tuple[str, ...] | None] = {}

    def __str__(self) -> str:
        """As in a token response: sorted, so that equal grants print alike."""
        return " ".join([*sorted(self.names), *map(str, self.scopes)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scopes) and (self.scopes, self.names) == (other.scopes, other.names)

    def __hash__(self) -> int:
        return hash((self.scopes, self.names))

    def __bool__(self) -> bool:
        return bool(self.scopes or self.names)

    @property
    def signs_in(self) -> bool:
        """Whether it says who someone is: enough to ask for alone (OpenID Connect Core §3.1.2.1)."""
        return "openid" in self.names

    def intersection(self, allowed: "Scopes") -> "Scopes":
        """What of this is within `allowed`. Never wider than either."""
        return Scopes(intersection(self.scopes, allowed.scopes), self.names & allowed.names)

    def without(self, *names: str) -> "Scopes":
        """The same, less some of the scopes that are no resource scopes."""
        return Scopes(self.scopes, self.names.difference(names))

    def within(self, other: "Scopes") -> bool:
        return self.names <= other.names and all(
            any(mine.within(theirs) for theirs in other.scopes) for mine in self.scopes
        )

    def allows(self, interaction: Interaction, type_: str) -> bool:
        """False: refused whatever the record. `type_` '*' asks for an interaction over all types at once."""
        return self._decide(interaction, type_) is not None

    def criteria(self, interaction: Interaction, type_: str) -> tuple[str, ...]:
        """Queries of which a resource must match one; () for any. Raises Forbidden where `allows` says no, because ()
        would then mean the contrary."""
        found = self._decide(interaction, type_)
        if found is None:
            raise Forbidden(f"The scopes of this token do not allow '{interaction}' on {type_}.")
        return found

    def _decide(self, interaction: str, type_: str) -> tuple[str, ...] | None:
        key = (interaction, type_)
        if key not in self._known:
            queries = [
                scope.query for scope in self.scopes if scope.type_ in (type_, "*") and interaction in scope.letters
            ]
            self._known[key] = None if not queries else () if "" in queries else tuple(sorted(set(queries)))
        return self._known[key]


@lru_cache(maxsize=4096)
def read_scopes(text: str) -> Scopes:
    """The scopes of a request, a registration or a session. Raises ScopeError when one that looks like a resource
    scope is malformed; other unknown names are left out."""
    resource, names = [], []
    for token in text.split():
        if "/" in token and not token.startswith("launch"):
            resource.append(parse(token))
        else:
            names.append(token)
    return Scopes(resource, names)


EVERYTHING: Final = Scopes([Scope("user", "*", "cruds")])
"""The bound of a browser session: the pages are our own software, and the visible set alone decides."""
