"""Parameters of a request: each comes once, an empty one counts as absent (RFC 6749 §3.1, §3.2)."""

from collections.abc import Iterable
from typing import Final

from liaison.auth.oauth2.errors import InvalidRequest

LONGEST: Final = 8192


class Parameters(dict[str, str]):
    """Absent ones read as ''. Refuses repeated ones: two readers could each take another."""

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> "Parameters":
        read = cls()
        seen = set()
        for name, value in pairs:
            if name in seen:
                raise InvalidRequest("A parameter comes twice.")
            if len(value) > LONGEST or "\0" in value:
                raise InvalidRequest("A parameter is too long or malformed.")
            seen.add(name)
            if value:
                read[name] = value
        return read

    def __missing__(self, name: str) -> str:
        return ""

    def required(self, name: str) -> str:
        """Raises InvalidRequest, naming the parameter, when it is absent."""
        if name not in self:
            raise InvalidRequest(f"{name} is required.")
        return self[name]
