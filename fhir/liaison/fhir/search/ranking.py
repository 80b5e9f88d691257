"""A list of people over all of a caller's records, on keys alone: nothing of it is shown.

Whoever asks shows a page of them by a search of its own, which journals what it shows; of the question itself the journal
is owed an entry by whoever asks.
"""

from liaison.fhir.search.criteria import Context
from liaison.fhir.search.known import with_parameters
from liaison.fhir.search.links import Links
from liaison.fhir.search.parse import pairs, parse
from liaison.fhir.search.searching import noted, permitted
from liaison.fhir.store.contract import Caller, Key
from liaison.fhir.store.store import Store


async def ranked(store: Store, caller: Caller, type_: str, query: str, *, base_url: str) -> list[Key]:
    """Everything that matches, in the order that `_sort` asks for."""

    async def asked() -> list[Key]:
        permitted(caller, (type_,))
        context = Context(type_, base_url, store.database.clock.now())
        links = Links(store, caller, base_url)
        with noted(links):
            run = await links.run(parse(pairs(query), context))
            return [one.key for one in await run.all()]

    return await with_parameters(store, query, asked)
