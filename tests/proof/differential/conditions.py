"""Conditional writes, patches and versions: what a criterion matches is what the caller sees, and what is hidden is not there.

By the table of R4 (http.html#ccreate, #cond-update, #cdelete): none, one or several matches among the visible.
"""

from urllib.parse import urlencode

from .facts import Tree
from .rights import Version
from .running import Run, differ
from .withheld import without
from .writing import ENTRIES, learn, learn_made, some_entry, status_of_change, status_of_creation, status_of_deletion

_LANGUAGES = ["fr", "br", "en"]


def _criterion(run: Run, version: Version) -> tuple[str, list[Version]]:
    """A query of the version's type, and what of it the caller sees."""
    type_, id_ = version.ref.split("/")
    if run.random.random() < 0.6:
        query, matches = {"_id": id_}, [version]
    else:
        query = {"patient": version.patient.partition("/")[2]}
        matches = [
            one for one in run.world.current() if one.ref.startswith(f"{type_}/") and one.patient == version.patient
        ]
    return urlencode(query), [one for one in matches if run.sees(one)]


def _another(run: Run, version: Version) -> Tree:
    """The same content without its id, and naming no entry: another one of the same record."""
    others = {one.ref for versions in run.world.versions.values() for one in versions if one.ref.startswith(ENTRIES)}
    plain = without(version.tree, others)
    tree = {name: value for name, value in plain.items() if name not in ("id", "meta", "text")}
    labels = version.tree.get("meta", {}).get("security")
    return {**tree, **({"meta": {"security": labels}} if labels else {}), "language": run.random.choice(_LANGUAGES)}


async def create_unless(run: Run) -> str:
    """If-None-Exist: 201 for none that is seen, 200 for one, 412 for several."""
    version = some_entry(run)
    if version is None:
        return ""
    query, matches = _criterion(run, version)
    tree, type_ = _another(run, version), version.ref.partition("/")[0]
    answer = await run.ask("POST", type_, tree, if_none_exist=query)
    wanted = {0: status_of_creation(run, tree, version.patient), 1: 200}.get(len(matches), 412)
    if answer.status_code == 201:
        await learn_made(run, answer, version.patient)
    return differ("status", answer.status_code, wanted)


async def update_where(run: Run) -> str:
    """PUT with a criterion: creates for none that is seen, changes the one, 412 for several."""
    version = some_entry(run)
    if version is None:
        return ""
    query, matches = _criterion(run, version)
    tree, type_ = _another(run, version), version.ref.partition("/")[0]
    target = matches[0] if len(matches) == 1 else version
    wanted = {0: status_of_creation(run, tree, version.patient), 1: status_of_change(run, target, tree)}.get(
        len(matches), 412
    )
    if wanted == 200 and target.author != run.caller.held.person:
        return ""
    answer = await run.ask("PUT", f"{type_}?{query}", tree)
    if answer.status_code == 201:
        await learn_made(run, answer, version.patient)
    elif answer.status_code == 200:
        await learn(run, target.ref, target.patient, target)
    return differ("status", answer.status_code, wanted)


async def delete_where(run: Run) -> str:
    """DELETE with a criterion: what is hidden is nothing to delete, which is no error (204); several are refused."""
    version = some_entry(run)
    if version is None:
        return ""
    query, matches = _criterion(run, version)
    wanted = {0: 204, 1: status_of_deletion(run, matches[0] if matches else version)}.get(len(matches), 412)
    answer = await run.ask("DELETE", f"{version.ref.partition('/')[0]}?{query}")
    if answer.status_code in (200, 204) and matches:
        run.world.write(matches[0]._replace(deleted=True, number=matches[0].number + 1))
    return differ("status", answer.status_code, wanted)


async def patch(run: Run) -> str:
    """A JSON Patch, by id or by a criterion."""
    version = some_entry(run)
    if version is None:
        return ""
    query, matches = (
        ("", [version] if run.sees(version) else []) if run.random.random() < 0.6 else _criterion(run, version)
    )
    target, language = matches[0] if len(matches) == 1 else version, run.random.choice(_LANGUAGES)
    wanted = {0: 404, 1: status_of_change(run, target, {**target.tree, "language": language})}.get(len(matches), 412)
    if wanted == 200 and target.author != run.caller.held.person:
        return ""
    path = f"{version.ref.partition('/')[0]}?{query}" if query else version.ref
    operation = [{"op": "add", "path": "/language", "value": language}]
    answer = await run.ask("PATCH", path, operation, content_type="application/json-patch+json")
    if answer.status_code == 200 and target.tree.get("language") != language:
        await learn(run, target.ref, target.patient, target)
    return differ("status", answer.status_code, wanted)


async def update_if_match(run: Run) -> str:
    """If-Match: 412 for a version that is no longer the current one, to whoever may change it; hidden, 404 as ever."""
    version = some_entry(run)
    if version is None:
        return ""
    tree = {**version.tree, "language": run.random.choice(_LANGUAGES)}
    wanted, right = status_of_change(run, version, tree), run.random.random() < 0.5
    if wanted == 403 or (wanted == 200 and version.author != run.caller.held.person):
        return ""
    number = version.number if right else version.number + 1
    answer = await run.ask("PUT", version.ref, tree, if_match=f'W/"{number}"')
    if answer.status_code == 200 and tree != version.tree:
        await learn(run, version.ref, version.patient, version)
    return differ("status", answer.status_code, wanted if right or wanted == 404 else 412)
