"""Who of the directory is called so, for a console that was given a name where a reference belongs: nobody knows 32
characters by heart. It names them and opens nothing: of two people of one name, only a person knows who is meant."""

from typing import Final

from liaison.auth.access import internal
from liaison.services.house import House
from liaison.services.pages.languages import translations
from liaison.services.pages.record import Record
from liaison.services.pages.team.called import described

MOST: Final = 20


async def called(house: House, words: str) -> list[str]:
    """'Practitioner/<id>  <name, what they do, where, RPPS>' of each professional whose name has all these words, of MOST + 1
    at most. The search is in the journal, as that of `internal:accounts`."""
    caller = await internal.open_session(house.database.writing, "accounts")
    try:
        record = Record(house.engine, caller)
        asked = [("name:contains", word) for word in words.split()]
        trees = await record.search("Practitioner", asked, most=MOST + 1) if asked else []
        say = translations("en").gettext
        return [f"Practitioner/{tree['id']}  {await described(record, tree, say)}" for tree in trees]
    finally:
        await internal.close_session(house.database.writing, caller)
