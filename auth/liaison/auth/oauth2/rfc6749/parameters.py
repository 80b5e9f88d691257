"""Parameters of a request: each comes once, an empty one counts as absent (RFC 6749 §3.1, §3.2)."""

from collections.abc import Iterable
from typing import Final

from liaison.auth.oauth2.errors import InvalidRequest

LONGEST: Final = 8192


class Parameters(dict[str, str]):
    """Absent ones read as ''. Refuses repeated ones: two readers could each take another."""

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> "Parameters":
        read, fault = cls.looked_at(pairs)
        if fault is not None:
            raise fault
        return read

    @classmethod
    def looked_at(cls, pairs: Iterable[tuple[str, str]]) -> "tuple[Parameters, InvalidRequest | None]":
        """Also what `read` refuses the request for: who has still to find out whom to tell. What is wrong is absent."""
        read, seen, wrong, fault = cls(), set(), set(), None
        for name, value in pairs:
            if name in seen:
                fault = fault or InvalidRequest("A parameter comes twice.")
                wrong.add(name)
            elif len(value) > LONGEST or "\0" in value:
                fault = fault or InvalidRequest("A parameter is too long or malformed.")
                wrong.add(name)
            elif value:
                read[name] = value
            seen.add(name)
        for name in wrong & read.keys():
            del read[name]
        return read, fault

    def __missing__(self, name: str) -> str:
        return ""

    def required(self, name: str) -> str:
        """Raises InvalidRequest, naming the parameter, when it is absent."""
        if name not in self:
            raise InvalidRequest(f"{name} is required.")
        return self[name]
