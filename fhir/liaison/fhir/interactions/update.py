"""update: https://hl7.org/fhir/R4/http.html#update, and conditional update. Update-as-create is off: ids are ours."""

from collections.abc import Mapping

from liaison.fhir.errors import BadRequest
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.create import criteria_of, receive, written
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Tree


def check_id(tree: Tree, id_: str) -> None:
    """Raises BadRequest unless the body has the id of its URL (R4: 'or 400 Bad Request if no id is provided')."""
    if tree.get("id") != id_:
        raise BadRequest("The id in the body is not the id of the URL.", "id")


async def update(
    store: Store, caller: Caller, type_: str, id_: str, body: bytes, headers: Mapping[str, str], base_url: str
) -> Answer:
    """200 with the new version. NotFound for an unknown id and a hidden one alike; 412 when If-Match does not hold."""
    tree, told = await receive(body, type_)
    check_id(tree, id_)
    scope.require_written(caller, "u", type_, tree)
    write = Write("update", type_, tree, id_=id_, headers=headers, told=told)
    await commit(store, caller, [write], base_url)
    return await written(store, caller, write, base_url)


async def conditional(
    store: Store, caller: Caller, type_: str, query: str, body: bytes, headers: Mapping[str, str], base_url: str
) -> Answer:
    """Updates the one match of the criteria, creates when nothing visible matches, 412 when several do."""
    tree, told = await receive(body, type_)
    scope.permit_letter(caller, "c", type_)
    scope.require_written(caller, "u", type_, tree)
    scope.require_written(caller, "c", type_, tree)
    criteria = criteria_of(query, "A conditional update")
    write = Write("update", type_, tree, matching=criteria, headers=headers, told=told)
    await commit(store, caller, [write], base_url)
    return await written(store, caller, write, base_url)
