"""Searches of every form: ids, order and totals, over all pages."""

from typing import Any
from urllib.parse import urlencode

from ..reference import texts
from ..reference.elements import elements
from ..reference.evaluator import Asked, in_order, matching, sort_keys
from ..reference.generator import Generator
from ..reference.meant import Meant
from ..reference.results import Filters, holds, text_of
from ..reference.tables import PARAMETERS
from .running import Run, differ, name_of


def corpus(run: Run) -> list[Any]:
    """What queries are made about: what there is, seen or not."""
    return [one.tree for one in run.world.current()]


async def search(run: Run) -> str:
    """Parameters, modifiers, chains, `_has` and orders, with the way the answer is asked for."""
    trees = corpus(run)
    types = sorted({one["resourceType"] for one in trees} & PARAMETERS.keys()) if run.random.random() < 0.5 else []
    return await _compared(run, Generator(trees, run.random.randrange(1 << 30), chained=0.3, types=types).query())


async def meant(run: Run) -> str:
    """Values that stand for more than themselves: value sets, hierarchies, lists, composites, places, `ap`."""
    return await _compared(run, Meant(corpus(run), run.random.randrange(1 << 30)).query())


async def by_kind(run: Run) -> str:
    """One criterion of a kind that few parameters have, so that each prefix and modifier has its turn."""
    made = Meant(corpus(run), run.random.randrange(1 << 30))
    kind = run.random.choice(_KINDS)
    met = [
        (tree, name)
        for trees in made.by_type.values()
        for tree in trees
        for name, one in PARAMETERS[tree["resourceType"]].items()
        if kind in (one.type, name) and elements(tree, name)
    ]
    if not met:
        return ""
    tree, name = run.random.choice(met)
    type_ = tree["resourceType"]
    ways = [made.composite] if name == "component-code" else [made.about] if kind in ("number", "quantity") else []
    way = run.random.choice([*ways, None, None])
    criterion = (way and way(type_, tree)) or made.plain(type_, tree, name)
    return await _compared(run, Asked(type_, (criterion,))) if criterion else ""


_KINDS = ("number", "quantity", "uri", "date", "identifier", "reference", "device", "code", "component-code")
"""Types of parameters, and names of some."""


async def _compared(run: Run, asked: Asked) -> str:
    seen = run.seen()
    wanted = matching(seen, asked)
    form = run.random.random()
    if form < 0.1:
        answer = await run.ask("GET", f"{asked.type}?{_query(asked, ('_summary', 'count'))}")
        return differ("count", _body(answer).get("total"), len(wanted))
    query = [*asked.text(), ("_count", run.random.choice(["1000", "20", "5"]))]
    query += [("_total", "accurate")] if form < 0.8 else []
    if form > 0.9:
        query.append(("_elements", "id"))
    found, _, wrong = await run.pages(asked.type, query)
    ids = [one["resource"]["id"] for one in found]
    if wrong or (
        wrong := differ("ids", set(ids), {one["id"] for one in wanted}) or differ("once", len(ids), len(set(ids)))
    ):
        return wrong
    order = [sort_keys(seen, seen.by_id[id_], asked.sort) for id_ in ids]
    return differ("order", order, in_order(seen, wanted, asked.sort))


def _query(asked: Asked, *more: tuple[str, str]) -> str:
    return urlencode([*asked.text(), *more])


def _body(answer: Any) -> dict[str, Any]:
    body: dict[str, Any] = answer.json() if answer.status_code == 200 else {"total": f"status {answer.status_code}"}
    return body


async def filtered(run: Run) -> str:
    """`_filter`, whose tests stand in a tree."""
    type_, tree = Filters(corpus(run), run.random.randrange(1 << 30)).filter()
    text = text_of(tree, run.random.random() < 0.5)
    found, _, wrong = await run.pages(type_, [("_filter", text), ("_count", "1000"), ("_total", "accurate")])
    wanted = {name for name, one in _named(run).items() if name.startswith(f"{type_}/") and holds(one, tree)}
    return wrong or differ("ids", set(map(name_of, found)), wanted)


def _named(run: Run) -> dict[str, Any]:
    return {one.ref: one.tree for one in run.visible()}


async def by_words(run: Run) -> str:
    """`_text` and `_content`: words of what there is, also of what is not shown."""
    name, text = run.random.choice([("_text", texts.narrative), ("_content", texts.content)])
    trees = corpus(run)
    type_ = run.random.choice(sorted({one["resourceType"] for one in trees if name == "_content" or "text" in one}))
    said = [held for one in trees if one["resourceType"] == type_ and (held := text(one))]
    tree = texts.asked_of(said, run.random, run.random.choice((0, 0, 1, 2)))
    found, _, wrong = await run.pages(
        type_, [(name, texts.written(tree, run.random)), ("_count", "50"), ("_total", "accurate")]
    )
    wanted = {one.ref for one in run.visible() if one.ref.startswith(f"{type_}/") and texts.says(text(one.tree), tree)}
    return wrong or differ("ids", set(map(name_of, found)), wanted)


async def several_types(run: Run) -> str:
    """`_type`, of one patient or of all."""
    types = run.random.sample(sorted(PARAMETERS), run.random.randint(1, 4))
    types = [one for one in types if "patient" in PARAMETERS[one]] or ["Observation"]
    patient = run.random.choice(run.place.patients)
    query = [("_type", ",".join(types)), ("patient", patient), ("_total", "accurate"), ("_count", "50")]
    found, _, wrong = await run.pages("", query)
    wanted = {one.ref for one in run.visible() if one.ref.partition("/")[0] in types and one.patient == patient}
    return wrong or differ("ids", set(map(name_of, found)), wanted)
