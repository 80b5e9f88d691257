"""Who of the directory the newcomer is: by number, and by name where the directory has somebody of that name.

What a person says of somebody follows that somebody only as long as they are not in the directory twice. So a name that it
knows is asked about; and whoever is said to be another person waits until an administrator has found out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from liaison.auth.people import namesakes
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import human_name
from liaison.services.pages.team.days import NotComplete
from liaison.services.pages.team.newcomer import ANOTHER, Newcomer

Tree = Mapping[str, Any]
_MOST: Final = 20_000


class Namesakes(ValueError):
    """The directory has these people of that name, and it is not said yet whether the newcomer is one of them."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.trees = trees
        super().__init__("The directory knows somebody of that name.")


class OtherName(ValueError):
    """The number is that of somebody who is called otherwise: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__("The number is that of somebody of another name.")


async def known_as(writer: Record, newcomer: Newcomer) -> Tree | None:
    """The Practitioner that the newcomer is; None for somebody new. Raises NotComplete, Namesakes, OtherName."""
    if newcomer.rpps and (numbered := await _numbered(writer, newcomer.rpps)):
        if not namesakes.may_be(numbered, newcomer.name):
            raise OtherName(human_name(dict(numbered)))
        return _active(numbered)
    called = await of_that_name(writer, newcomer.name)
    if not called or newcomer.who == ANOTHER:
        return None
    chosen = next((one for one in called if f"Practitioner/{one['id']}" == newcomer.who), None)
    if chosen is None:
        raise Namesakes(called)
    if newcomer.rpps:
        raise NotComplete(
            "rpps",
            _("Ce n’est pas le numéro que l’annuaire a pour cette personne : un administrateur corrige l’annuaire."),
        )
    return _active(chosen)


async def of_that_name(record: Record, name: str) -> list[Tree]:
    """Everyone of the directory who may be called so, whoever has left too."""
    words = namesakes.telling(name)
    query = {"name:contains": ",".join(words), "_count": "200"}
    found = await record.search("Practitioner", query, most=_MOST) if words else []
    return namesakes.among(found, name)


async def _numbered(writer: Record, rpps: str) -> Tree | None:
    found = await writer.search("Practitioner", {"identifier": f"{RPPS}|{rpps}", "_count": "2"}, most=2)
    if len(found) > 1:
        raise NotComplete(
            "rpps", _("L’annuaire a deux personnes avec ce numéro RPPS : un administrateur le corrige d’abord.")
        )
    return found[0] if found else None


def _active(tree: Tree) -> Tree:
    """Whoever is out of the directory begins nowhere. Raises NotComplete."""
    if namesakes.is_waiting(tree):
        raise NotComplete("nom", _("Un administrateur n’a pas encore vérifié qui est cette personne."))
    if tree.get("active") is False:
        raise NotComplete(
            "nom", _("L’annuaire ne compte plus cette personne : un administrateur l’y remet s’il le faut.")
        )
    return tree
