"""Doublons proposés: two records that may be of one person, among those I follow."""

from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/doublons"
MOST: Final = 50
"""Pairs on the page: those that are surest. The others come up as these are settled."""


LIKENESS: Final = {
    "same-ins": _("Même INS"),
    "same-traits": _("Même identité"),
    "alike": _("Se ressemblent, à une différence près"),
}


class Pair(NamedTuple):
    """`path`: where the two are compared."""

    one: Identity
    other: Identity
    likeness: str
    path: str


async def show(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    found = [told(part) for part in (await record.operate("Patient/$duplicates", {})).get("parameter", [])]
    waiting = [one for one in found if not one["distinct"]]
    settled = [one for one in found if one["distinct"]]
    return render(
        request,
        "identities/doubles.html",
        waiting=await _pairs(record, waiting[:MOST]),
        settled=await _pairs(record, settled[:MOST]),
        more=max(0, len(waiting) - MOST),
        likeness=LIKENESS,
    )


def told(pair: Tree) -> Tree:
    """The parts of one pair by their names."""
    return {part["name"]: next(value for name, value in part.items() if name != "name") for part in pair["part"]}


async def _pairs(record: Record, found: list[Tree]) -> list[Pair]:
    """Those whose two records are still there to be read."""
    pairs = []
    for one in found:
        references = [str(one[name]["reference"]) for name in ("patient", "other-patient")]
        trees = [await record.read(reference) for reference in references]
        if trees[0] is not None and trees[1] is not None:
            path = "/".join([PATH, *(reference.partition("/")[2] for reference in references)])
            pairs.append(Pair(identity(trees[0]), identity(trees[1]), one["likeness"], path))
    return pairs
