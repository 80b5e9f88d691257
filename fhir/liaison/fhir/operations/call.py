"""A call of an operation whose answer has pages: its parameters, where it stands, and the Bundle of one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from liaison.fhir.definitions import RESOURCE_TYPES, kind_of
from liaison.fhir.errors import Forbidden
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definition import CURSOR, Definition, Given, instant
from liaison.fhir.search import page
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.whole import Part
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened, Request

MOST: Final = 5_000
"""Resources of a record on one page, unless `_count` says fewer."""


@dataclass(slots=True)
class Call:
    """One call, on whatever page it is: its parameters, the part of a record that they ask for, and where it stands."""

    where: Route
    given: Given
    here: Cursor
    first: bool
    bound_to: str

    @classmethod
    def begin(cls, store: Store, caller: Caller, where: Route, request: Request, definition: Definition) -> "Call":
        """From the parameters, or from the cursor of a `next` link. Gone for a cursor that is not of this call."""
        given = definition.read(request)
        bound_to = f"{where.type_}/${definition.name}"
        if not given.cursor:
            here = Cursor(store.database.clock.now(), "", given.pairs, False, where.id_, None)
            return cls(where, given, here, True, bound_to)
        here = page.unseal(store.vault.cursor, caller, bound_to, given.cursor, store.database.clock.now())
        if here.compartment != where.id_:
            raise page.dead()
        values: dict[str, tuple[str, ...]] = {}
        for name, value in here.pairs:
            values[name] = (*values.get(name, ()), value)
        return cls(where, Given(values), here, False, bound_to)

    @property
    def count(self) -> int:
        return min(self.given.number("_count") or MOST, MOST)

    def part(self, caller: Caller) -> Part:
        """What is asked for, within what the scopes allow. Forbidden names a type of `_type` that they do not."""
        wanted = self.given.types("_type")
        for type_ in sorted(wanted or ()):
            if letter_for(caller, type_) is None:
                raise Forbidden(f"The scopes of this token do not allow reading {type_}.")
        types = {type_ for type_ in wanted or RESOURCE_TYPES if letter_for(caller, type_)}
        kinds = None if len(types) == len(RESOURCE_TYPES) else tuple(sorted(kind_of(type_) for type_ in types))
        start, end = self.given.span("start"), self.given.span("end")
        return Part(kinds, instant(self.given, "_since"), start[0] if start else None, end[1] if end else None)

    def answer(
        self,
        store: Store,
        caller: Caller,
        matches: Sequence[Opened],
        included: Sequence[Opened],
        following: Cursor | None,
        base_url: str,
        total: int | None,
    ) -> Answer:
        """The page as a Bundle, its `next` link sealed to the caller."""
        path = "/".join(part for part in (self.where.type_, self.where.id_, f"${self.where.operation}") if part)
        links = [("self", url(base_url, path, self.here.pairs))]
        if following is not None:
            text = page.seal(store.vault.cursor, caller, self.bound_to, following)
            links.append(("next", url(base_url, path, ((CURSOR, text),))))
        return searchset(matches, included, total=total, links=links, base_url=base_url, ids_of=store.ids_of)
