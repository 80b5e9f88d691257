"""What a token is bound to: the claim `cnf` (RFC 7800), with one of the two members that we issue.

`jkt` is the thumbprint of a key that the caller signs each call with (RFC 9449 §6.1); `x5t#S256` is that of the
certificate it opens its connection with (RFC 8705 §3.1). A stolen token is worth nothing without the key.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

JKT: Final = "jkt"
X5T: Final = "x5t#S256"
_MEMBERS: Final = (JKT, X5T)


class Confirmation(NamedTuple):
    """Nothing, when `member` is ''."""

    member: str = ""
    thumbprint: str = ""

    def claim(self) -> dict[str, Any]:
        """What goes into the token."""
        return {"cnf": {self.member: self.thumbprint}} if self.member else {}

    @property
    def token_type(self) -> str:
        """`token_type` of the token response: a bound key makes it DPoP (RFC 9449 §5)."""
        return "DPoP" if self.member == JKT else "Bearer"


UNBOUND: Final = Confirmation()


def read(claims: Mapping[str, Any]) -> Confirmation:
    """The binding of a token that was verified. Raises ValueError for one that is not understood: it never counts as
    unbound (RFC 7800 §3)."""
    if "cnf" not in claims:
        return UNBOUND
    found = claims["cnf"]
    if not isinstance(found, dict) or len(found) != 1:
        raise ValueError("cnf")
    member, thumbprint = next(iter(found.items()))
    if member not in _MEMBERS or not isinstance(thumbprint, str) or not thumbprint:
        raise ValueError("cnf")
    return Confirmation(member, thumbprint)
