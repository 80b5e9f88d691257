"""Who of the directory is called so: an administrator opens an account for a name, and never types a reference."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request

from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.team.called import described

Tree = dict[str, Any]
_LOOKED_AT: Final = 200
SHOWN: Final = 20


class Entered(NamedTuple):
    """Somebody of the directory, told from others of the name by what they do, where, and their number."""

    reference: str
    who: str


async def called(request: Request, words: str) -> dict[int, Tree]:
    """The professionals of the directory whose name has these words, by their number; none for no words."""
    if not words:
        return {}
    store, record = request.app.state.house.store, await _record(request)
    trees = await record.search("Practitioner", [("name:contains", word) for word in words.split()], most=_LOOKED_AT)
    keys = [(store.key("Practitioner", tree["id"]), tree) for tree in trees]
    return {key.res: tree for key, tree in keys if key is not None}


async def described_of(request: Request, trees: Sequence[Tree]) -> list[Entered]:
    """The first SHOWN of them."""
    record, gettext = await _record(request), translations(language_of(request)).gettext
    return [Entered(f"Practitioner/{tree['id']}", await described(record, tree, gettext)) for tree in trees[:SHOWN]]


async def _record(request: Request) -> Record:
    caller, _me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request))
