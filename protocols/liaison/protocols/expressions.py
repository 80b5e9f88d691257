"""FHIRPath (2.0, by fhirpathpy) over plain trees, compiled once.

fhirpathpy returns a collection; an empty one means 'not known' and makes a condition false. Its parser repairs what it
cannot read in silence, so the text is first parsed here with a listener that does not.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, cast

import fhirpathpy
from antlr4 import CommonTokenStream, InputStream, Token
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from liaison.protocols.narrowing import Recorded

FHIRPATH: Final = "text/fhirpath"


class Compiled(Protocol):
    def __call__(self, resource: Any, context: Mapping[str, Any] | None = None) -> list[Any]: ...


class _Strict(ErrorListener):  # type: ignore[misc]  # antlr4 ships no types
    def syntaxError(self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any) -> None:
        raise ValueError(f"column {column + 1}: {message}")


def _refuse_bad_syntax(expression: str) -> None:
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(_Strict())
    parser.expression()
    rest = parser.getCurrentToken()
    if rest.type != Token.EOF:
        raise ValueError(f"column {rest.column + 1}: '{rest.text}' is too much")


@lru_cache(maxsize=1024)
def compiled(expression: str) -> Compiled:
    """The expression, parsed. ValueError with the column and the parser's words when it is not FHIRPath."""
    _refuse_bad_syntax(expression)
    return cast(Compiled, fhirpathpy.compile(expression))


def collection(expression: str, resource: Any, names: Mapping[str, Any]) -> list[Any]:
    """All that the expression gives, with %names bound. A failing evaluation is empty: what cannot be computed is not
    known, and the step that depends on it says so by not applying."""
    run, bound = compiled(expression), dict(names)
    if isinstance(record := bound.get("record"), Recorded):
        bound["record"] = record.seen_by(expression)
    try:
        found = run(resource, bound)
    except ValueError:
        raise
    except Exception:  # noqa: BLE001  # fhirpathpy raises bare Exceptions for type errors in the data.
        return []
    return list(found)


def first(expression: str, resource: Any, names: Mapping[str, Any]) -> Any:
    """The first item, or None."""
    found = collection(expression, resource, names)
    return found[0] if found else None


def holds(expression: str, resource: Any, names: Mapping[str, Any]) -> bool:
    """True only when the expression gives exactly true."""
    return collection(expression, resource, names) == [True]


def record_of(resources: Sequence[Mapping[str, Any]]) -> Recorded:
    """The %record of expressions: a Bundle of the resources, oldest first, so that last() is the latest."""
    return Recorded(sorted(resources, key=clinical_date))


def clinical_date(resource: Mapping[str, Any]) -> str:
    """When what the resource tells took place, as text that sorts; '' when it does not say."""
    for name in (
        "effectiveDateTime",
        "occurrenceDateTime",
        "authoredOn",
        "authored",
        "recordedDate",
        "dateTime",
        "date",
    ):
        if isinstance(value := resource.get(name), str):
            return value
    for name in ("effectivePeriod", "period", "executionPeriod", "performedPeriod"):
        value = resource.get(name)
        if isinstance(value, dict):
            return str(value.get("end") or value.get("start") or "")
    return ""
