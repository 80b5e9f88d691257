"""The forms of a home visit as a service asks them: its own versions where it has published some, and the models of the library.

Every version that was ever published is found again: what was begun on it is filed under it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry
from liaison.auth.people import visit_forms
from liaison.auth.people.visit_forms import Published
from liaison.fhir.model import dump, reread
from liaison.fhir.store import faults
from liaison.fhir.store.database import Database
from liaison.protocols import library
from liaison.protocols.forms import READY, as_shown, canonical, is_visit
from liaison.protocols.library import Library
from liaison.protocols.library.source import Source
from liaison.services.house import House
from liaison.services.pages.record import Record

Tree = dict[str, Any]
_PUBLISHED: Final = Path("published")


@dataclass(frozen=True, slots=True)
class InForce:
    """The form that is asked today. `version`: 0 where the service has published none; then it is the model."""

    form: Tree
    version: int
    since: datetime | None


async def in_force(database: Database, organization: int) -> dict[str, InForce]:
    """Of a service, by the address of the model, in the order of the library."""
    with faults.reported():
        own = await visit_forms.in_force(database.reading, organization)
    shipped = library.shipped()
    return {
        model: InForce(reread(own[model].content.encode()), own[model].version, own[model].published_at)
        if model in own
        else InForce(as_shown(shipped.tree(model)), 0, None)
        for model in READY.values()
    }


async def known(database: Database, canonicals: Iterable[str]) -> Library:
    """The library with these forms in it ('url|version'), as far as they were published."""
    shipped = library.shipped()
    wanted = {one for one in canonicals if is_visit(one) and shipped.find(one) is None}
    if not wanted:
        return shipped
    with faults.reported():
        found = [reread(one.encode()) for one in await visit_forms.versions(database.reading, wanted)]
    return Library((*shipped.sources, *(Source(_PUBLISHED, tree, {}) for tree in found)))


async def of_all(database: Database, trees: Iterable[Tree]) -> Library:
    """The library with the forms that these QuestionnaireResponses answer."""
    return await known(database, [str(one.get("questionnaire", "")) for one in trees])


async def asked(database: Database, address: str, organization: int) -> Tree | None:
    """The form that was filled in, where it is one of the library or of this service; None for any other."""
    source = (await known(database, [address])).find(address)
    if source is None or not is_visit(address):
        return None
    own = {canonical(one.form).partition("|")[0] for one in (await in_force(database, organization)).values()}
    url = address.partition("|")[0]
    return source.tree if url in READY.values() or url in own else None


async def publish(house: House, caller: Caller, model: str, form: Tree, version: int, told: Entry) -> bool:
    """Puts a version in force, for good, and the Questionnaire in the record for whoever reads an answer to it. False where that
    version is there already: somebody else was faster, and nothing is done."""
    content = dump(form).decode()
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            one = Published(model, version, content, house.database.clock.now())
            if await visit_forms.publish(connection, caller.organization, form["url"], one, by=caller.account) is None:
                return False
            await _shown(house, caller, form)
            await house.journal.record_within(connection, (told,))
    return True


async def _shown(house: House, caller: Caller, form: Tree) -> None:
    """As a resource. What a publication that failed has left under this version was in force for nobody: it is written over."""
    cell = await internal.open_session(house.database.writing, "forms", caller=caller)
    try:
        record = Record(house.engine, cell)
        query: Mapping[str, str] = {"url": form["url"], "version": form["version"]}
        before = await record.search("Questionnaire", query, most=1)
        if before:
            await record.update({**form, "id": before[0]["id"], "meta": before[0]["meta"]})
        else:
            await record.create(form)
    finally:
        await internal.close_session(house.database.writing, cell)
