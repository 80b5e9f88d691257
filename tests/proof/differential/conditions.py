"""Conditional writes, patches and versions, each asked alone."""

from . import parts
from .parts import PATCH, Part
from .running import Run, differ


async def _asked(run: Run, part: Part | None) -> str:
    if part is None:
        return ""
    headers = {**part.headers, **({"content_type": PATCH} if part.request["method"] == "PATCH" else {})}
    answer = await run.ask(part.request["method"], part.request["url"], part.resource, **headers)
    await parts.done(run, part, answer.status_code, answer.headers.get("location", ""))
    return differ("status", answer.status_code, part.wanted)


async def create_unless(run: Run) -> str:
    return await _asked(run, parts.creation_unless(run))


async def update_where(run: Run) -> str:
    return await _asked(run, parts.change_where(run))


async def delete_where(run: Run) -> str:
    return await _asked(run, parts.deletion_where(run))


async def patch(run: Run) -> str:
    """A JSON Patch, by id or by a criterion."""
    made = parts.patching if run.random.random() < 0.6 else parts.patching_where
    return await _asked(run, made(run))


async def if_match(run: Run) -> str:
    """An update or a deletion of the current version, or of one that is no longer that."""
    made = parts.change_if_match if run.random.random() < 0.7 else parts.deletion_if_match
    return await _asked(run, made(run))
