"""Values that were found valid a moment ago: most resources of a record carry the codes of another."""

from typing import Any, Final

from liaison.fhir.model.reading import dump

TYPES: Final = frozenset({"CodeableConcept", "Coding", "Meta", "Money", "Period"})
"""Whether one of these is valid follows from itself alone, unless an extension holds a reference. So it does of a Reference
in one place, if it is to nothing that is contained."""

_LONGEST: Final = 500
_MOST: Final = 4_096


def said(value: Any) -> bytes:
    """All that a value says, when it may be remembered; else nothing."""
    if type(value) is not dict:
        return b""
    try:
        text = dump(value)
    except TypeError:  # an integer that nothing in FHIR may be
        return b""
    return text if len(text) <= _LONGEST and b'"extension"' not in text and b'"#' not in text else b""


class Seen:
    """The values of one type that were valid, a few thousand of those met last."""

    def __init__(self) -> None:
        self._recent: set[bytes] = set()
        self._before: set[bytes] = set()

    def __contains__(self, text: bytes) -> bool:
        if text in self._recent:
            return True
        if text in self._before:
            self.add(text)
            return True
        return False

    def add(self, text: bytes) -> None:
        if len(self._recent) >= _MOST:
            self._recent, self._before = set(), self._recent
        self._recent.add(text)
