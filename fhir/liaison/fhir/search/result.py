"""Parameters that shape the result, not the match: _sort _count _total _summary _include… (R4 search.html#return)."""

from typing import Final

from liaison.fhir.definitions import RESOURCE_TYPES, ownership
from liaison.fhir.errors import BadRequest, Issue
from liaison.fhir.model.subset import Subset, Summary
from liaison.fhir.search.criteria import Criterion, Include, Query, SortKey, Total
from liaison.fhir.search.known import find_parameter
from liaison.fhir.search.sort import sortable
from liaison.fhir.search.sort_chain import chained_key
from liaison.fhir.search.subset import elements_of, summary_of, together

DEFAULT_COUNT: Final = 20
MOST_COUNT: Final = 1000
"""A page holds at most this many matches, whatever _count says; R4 allows a server to give fewer than asked."""

MOST_KEYS: Final = 10
"""Of one order. Each further one costs as much as the first, and thousands fit in an address."""

MOST_NAMED: Final = 20
"""Types that a refusal names."""

_TOTALS: Final[dict[str, Total]] = {"none": "none", "estimate": "estimate", "accurate": "accurate"}
_READ: Final = frozenset({"_count", "_total", "_summary", "_elements", "_sort", "_include", "_revinclude"})


class Controls:
    """Collects the result parameters of one query."""

    def __init__(self, type_: str, types: tuple[str, ...] = ()) -> None:
        self.type_ = type_
        self.types = types or (type_,)
        self.count: int | None = None
        self.total: Total | None = None
        self.count_only: bool | None = None
        self.summary: Summary | None = None
        self.elements: Subset | None = None
        self.sort: tuple[SortKey, ...] = ()
        self.includes: list[Include] = []

    def read(self, name: str, text: str) -> bool:
        """True when it was one of these; BadRequest when its value is not understood; False for anything else."""
        if not name.startswith("_"):
            return False
        match name:
            case "_count":
                self._once(name, self.count)
                self.count = _count(text)
            case "_total":
                self._once(name, self.total)
                if text not in _TOTALS:
                    raise _bad(name, "is none, estimate or accurate")
                self.total = _TOTALS[text]
            case "_summary":
                self._once(name, self.count_only)
                summary = summary_of(text, count=True)
                together(summary, self.elements)
                if summary == "text" and self.includes:
                    raise _bad(name, "cannot be text beside _include or _revinclude")
                self.summary, self.count_only = summary, text == "count"
            case "_elements":
                self._once(name, self.elements)
                wanted = elements_of(text, self.types)
                together(self.summary, wanted)
                self.elements = wanted
            case "_sort":
                # R4's summary table lets it repeat "for inner sort orders".
                parts = text.split(",")
                if len(self.sort) + len(parts) > MOST_KEYS:
                    raise BadRequest(f"A search may be sorted by {MOST_KEYS} keys.")
                self.sort += tuple(self._sort_key(part) for part in parts)
            case "_include" | "_include:iterate" | "_revinclude" | "_revinclude:iterate":
                if self.summary == "text":
                    raise _bad(name, "cannot stand beside _summary=text")
                self.includes.append(self._include(name, text))
            case _ if name.partition(":")[0] in _READ:
                raise BadRequest(issues=[Issue("not-supported", f"The parameter '{name[:40]}' is not supported.")])
            case _:
                return False
        return True

    def query(
        self, criteria: tuple[Criterion, ...], pairs: tuple[tuple[str, str], ...], ignored: tuple[Issue, ...]
    ) -> Query:
        count = DEFAULT_COUNT if self.count is None else self.count
        return Query(
            self.type_,
            criteria,
            self.sort,
            min(count, MOST_COUNT),
            self.total,
            bool(self.count_only) or count == 0,
            tuple(self.includes),
            pairs,
            ignored,
            together(self.summary, self.elements),
        )

    def _once(self, name: str, seen: object) -> None:
        if seen is not None:
            raise _bad(name, "can be given once")

    def _sort_key(self, text: str) -> SortKey:
        code = text.removeprefix("-")
        if "." in code:
            return chained_key(code, self.type_, descending=text.startswith("-"))
        parameter = find_parameter(self.type_, code)
        if parameter is None or not sortable(parameter):
            raise _bad("_sort", f"cannot be by '{code[:60]}': it is not a parameter of {self.type_} that has an order")
        return SortKey(parameter, text.startswith("-"))

    def _include(self, name: str, text: str) -> Include:
        """`Source:parameter[:Target]`, `Source:*`, or `*` for any source (search.html#include)."""
        if text == "*":
            return Include("", None, "", name.startswith("_revinclude"), name.endswith(":iterate"))
        source, _, rest = text.partition(":")
        code, colon, target = rest.partition(":")
        way, _, iterate = name.partition(":")
        reverse = way == "_revinclude"
        if source not in RESOURCE_TYPES or not code:
            raise _bad(name, f"is written Type:parameter, Type:parameter:Target or *, as in {self.type_}:patient")
        if not reverse and not iterate and source not in self.types:
            raise _bad(name, f"starts with a type searched, {', '.join(self.types[:5])}; with :iterate, with any")
        if colon and target not in RESOURCE_TYPES:
            raise _bad(name, f"names '{target[:40]}', which is not a resource type")
        if ownership(source).rule == "never":
            raise _bad(name, f"names {source}, of which nothing is kept beside what is searched: search it by itself")
        if code == "*":
            return Include(source, None, target, reverse, bool(iterate))
        parameter = find_parameter(source, code)
        if parameter is None or parameter.type != "reference":
            raise _bad(name, f"names '{code[:60]}', which is not a reference parameter of {source}")
        if target and target not in parameter.target:
            led = [one for one in sorted(parameter.target) if ownership(one).rule != "never"]
            named = ", ".join(led) if len(led) <= MOST_NAMED else f"{len(led)} types"
            raise _bad(name, f"names {target}, to which '{code}' of {source} does not lead: it leads to {named}")
        return Include(source, parameter, target, reverse, bool(iterate))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _bad("_count", f"is a whole number from 0 to {MOST_COUNT}; a larger one gives pages of {MOST_COUNT}")
    return int(text) if len(text) < 10 else MOST_COUNT


def _bad(name: str, said: str) -> BadRequest:
    return BadRequest(f"The parameter '{name}' {said}.")
