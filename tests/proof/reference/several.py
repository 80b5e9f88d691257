"""Searches of several types and within compartments against the reference, each made from a random source of its own."""

import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from liaison.auth.caller import Caller

from .elements import Resource, span
from .results import MEMBERS, member
from .world import World, pages


async def difference(
    world: World, caller: Caller, shown: Sequence[Resource], made: random.Random
) -> tuple[str, str, bool]:
    """(what was asked, how the engine's answer differs from the reference's or '', whether there was anything to find)."""
    resources = world.corpus.resources
    owner = made.choice(("", *MEMBERS))
    types = made.sample(sorted(MEMBERS["Patient"]), made.randint(1, 4))
    query: dict[str, str] = {"_count": made.choice(("1000", "50")), "_total": "accurate"}
    if sort := made.choice(("", "_lastUpdated", "-_lastUpdated")):
        query["_sort"] = sort
    one = made.choice([tree for tree in resources.values() if tree["resourceType"] == (owner or "Patient")])
    type_, within = "", f"{owner}/{one['id']}" if owner else ""
    if not owner:
        query["patient"] = one["id"]
    if not owner or made.random() < 0.7:
        query["_type"] = ",".join(types)
    else:
        types = types[:1]
        [type_] = types
    read = await pages(world, caller, type_, urlencode(query), "next", within)
    found = [id_ for ids, _, _ in read for id_ in ids]
    wanted = {
        tree["id"]
        for tree in shown
        if tree["resourceType"] in types
        and (member(tree, owner, one["id"]) and one in shown if owner else _of(tree, one))
    }
    asked = f"{within}/{type_}?{urlencode(query)}"
    totals = {total for _, total, _ in read}
    if set(found) != wanted or len(found) != len(wanted) or totals != {len(wanted)}:
        return asked, f"found {len(found)}, totals {totals}, of {len(wanted)}", bool(wanted)
    moments = [span(resources[id_]["meta"]["lastUpdated"]) for id_ in found]
    ordered = not sort or moments == sorted(moments, reverse=sort.startswith("-"))
    return asked, "" if ordered else "wrong order", bool(wanted)


def _of(tree: dict[str, Any], patient: Resource) -> bool:
    return bool(tree["subject"]["reference"] == f"Patient/{patient['id']}")
