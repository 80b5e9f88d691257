"""The identities that conditional writes ask for: who waits for whom, and what overlaps within one transaction.

Two conditional writes of which each could match what the other makes wait for each other, however they are spelled
(`locks`). Within one transaction there is nobody to wait for: an entry whose criteria match what another one creates or
updates is refused (`refuse_overlaps`), for they are searched before anything is written and would not find it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from liaison.fhir.errors import BadRequest
from liaison.fhir.interactions.made import BREATH, Made
from liaison.fhir.interactions.writes import Write
from liaison.fhir.search import Alone
from liaison.fhir.store import Store
from liaison.fhir.store.identity import identifier_of

_SAME: Final = "What {} makes is what this entry asks for: both are about the same resource."
_OPEN: Final = (
    "What {} makes may be what this entry asks for: only the base could tell, and it is not written yet. Ask by what the"
    " resource itself says (an identifier), or send them apart."
)


class Locks(NamedTuple):
    own: frozenset[bytes]
    shared: frozenset[bytes] = frozenset()


def locks(store: Store, type_: str, query: str, base_url: str, now: datetime) -> Locks:
    """What a conditional write locks before it searches, beside the identifiers of its content.

    Criteria with one identifier lock that identifier: what they match carries it and locks it too, so that criteria with
    different ones never wait. Of all others of a type, those that can only match in the records of certain patients lock
    these patients and share the type; the rest lock the whole type. Not covered: criteria that name one patient for
    content of another.
    """
    if identifier_of(query) is not None:
        return Locks(frozenset([store.lock_token_of(type_, query)]))
    whole = store.lock_token_of(type_, "")
    try:
        patients = Alone.of(type_, query, base_url, now).patients(store.key)
    except BadRequest:  # the search says what is wrong, or first learns what a parameter of the base means
        patients = None
    if patients is None:
        return Locks(frozenset([whole]))
    return Locks(frozenset(store.lock_token_of(type_, f"patient {one}") for one in patients), frozenset([whole]))


async def refuse_overlaps(writes: Sequence[Write], base_url: str, now: datetime) -> None:
    """R4 http.html#trules: identities that overlap fail the transaction. Asked of the resources as they will be stored.

    Criteria that only the base can answer (chains, texts, lists, value sets) are compared by the rest of them, and what
    these leave open is refused too: nothing is stored yet that the base could be asked about.
    """
    asking = [write for write in writes if write.interaction != "delete" and (write.none_exist or write.matching)]
    types = {write.type_ for write in asking}
    made = [
        (write, write.change.tree)
        for write in writes
        if write.type_ in types and write.change is not None and write.change.tree is not None
    ]
    found = Made(made) if len(made) > 1 or (made and len(asking) > 1) else None
    count = 0
    for write in asking if found is not None else ():
        assert found is not None
        alone = Alone.of(write.type_, write.none_exist or write.matching, base_url, now)
        for other, facts in found.candidates(alone):
            if other is not write and alone.met(facts):
                raise write.problem(BadRequest((_SAME if alone.whole else _OPEN).format(other.at)))
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)
