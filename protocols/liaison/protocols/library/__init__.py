"""The protocol library: one folder a protocol, written as FHIR resources in YAML, with sources, version and owner.

`shipped()` is what comes with Liaison; `load(folder)` reads any other. Adding a protocol needs no code.
"""

from functools import cache
from pathlib import Path

from liaison.protocols.library.check import check
from liaison.protocols.library.library import Library, load

__all__ = ["FOLDER", "Library", "check", "load", "shipped"]

FOLDER = Path(__file__).parent


@cache
def shipped() -> Library:
    """The library of this package. Its check is a test; it is not repeated here."""
    return load(FOLDER)
