"""Read, vread and history: who sees which version, by status and by ids."""

from typing import Any

from ..reference.elements import span
from .rights import Version
from .running import Run, differ


async def read(run: Run) -> str:
    """200, or 304 with the tag of what is there; 410 when it was deleted; else 404."""
    version = run.any_version()
    if run.random.random() < 0.05:
        version = version._replace(ref=f"{version.ref.partition('/')[0]}/{'0' * 31}1")
    current = run.world.versions.get(version.ref, [version])[-1]
    headers = {"if_none_match": f'W/"{run.random.randint(1, 2)}"'} if run.random.random() < 0.2 else {}
    answer = await run.ask("GET", version.ref, **headers)
    wanted = status_of(run, version.ref in run.world.versions, current)
    if wanted == 200 and is_had(run, current, headers.get("if_none_match", "")):
        wanted = 304
    if answer.status_code == 200 and answer.json()["meta"]["versionId"] != str(current.number):
        return f"version {answer.json()['meta']['versionId']} instead of {current.number}"
    return differ("status", answer.status_code, wanted) or _body(run, answer)


def is_had(run: Run, current: Version, tag: str) -> bool:
    """Whether a tag says all of what would be sent: of what is not shown whole, a version says nothing."""
    return tag == f'W/"{current.number}"' and run.shown(current) == current.tree


async def vread(run: Run) -> str:
    version = run.any_version()
    number = version.number if run.random.random() < 0.9 else version.number + 7
    known = [one for one in run.world.versions[version.ref] if one.number == number]
    answer = await run.ask("GET", f"{version.ref}/_history/{number}")
    wanted = status_of(run, bool(known), known[0] if known else version)
    return differ("status", answer.status_code, wanted) or _body(run, answer)


def _body(run: Run, answer: Any) -> str:
    return run.misshown(answer.json()) if answer.status_code == 200 else ""


def status_of(run: Run, known: bool, version: Version) -> int:
    if not known or not run.sees(version):
        return 404
    return 410 if version.deleted else 200


async def history(run: Run) -> str:
    """Of one resource, of a type, or of everything; newest first, in pages; all of it, or since a moment."""
    version = run.any_version()
    type_ = version.ref.partition("/")[0]
    path = run.random.choice([f"{version.ref}/", f"{version.ref}/", f"{type_}/", ""])
    within = version.ref if path.count("/") > 1 else path
    wanted = [
        one
        for versions in run.world.versions.values()
        for one in versions
        if one.ref.startswith(within) and run.sees(one)
    ]
    query = [("_count", run.random.choice(["500", "500", "30"]) if path else "500")]
    if path.count("/") > 1 and not wanted:
        return differ("status", (await run.ask("GET", f"{path}_history")).status_code, 404)
    if since := _some_moment(run, wanted):
        query.append(("_since", since))
        wanted = [one for one in wanted if span(one.tree["meta"]["lastUpdated"])[0] >= span(since)[0]]
    found, _, wrong = await run.pages(f"{path}_history", query)
    told = {_version_of(one) for one in found}
    return (
        wrong
        or differ("versions", told, {(one.ref, str(one.number), one.deleted) for one in wanted})
        or differ("number of entries", len(found), len(told))
        or _newest_first(found)
    )


def _some_moment(run: Run, versions: list[Version]) -> str:
    """That of one of these, mostly none at all. Of deletions, the world does not know theirs: where there are any, none."""
    if not versions or any(one.deleted for one in versions) or run.random.random() < 0.6:
        return ""
    return str(run.random.choice(versions).tree["meta"]["lastUpdated"])


def _version_of(entry: Any) -> tuple[str, str, bool]:
    etag = entry["response"]["etag"]
    deleted = "resource" not in entry
    where = entry["fullUrl"].split("/")[-2:]
    return "/".join(where), etag.removeprefix('W/"').removesuffix('"'), deleted


def _newest_first(entries: list[Any]) -> str:
    moments = [span(entry["response"]["lastModified"])[0] for entry in entries]
    return differ("order", moments, sorted(moments, reverse=True))
