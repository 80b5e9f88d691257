"""What a conditional write does with what its criteria match: https://hl7.org/fhir/R4/http.html#cond-update and below.

| | none | one | several |
|---|---|---|---|
| create | creates, 201 | nothing new, 200 | 412 |
| update | creates, 201 | updates, 200 | 412 |
| patch | 404 | patches, 200 | 412 |
| delete | 204 | deletes, 204 | 412, or deletes up to the number allowed |

What the caller may not see matches nothing. The criteria are locked before they are searched.
"""

from collections.abc import Sequence

from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions import etag
from liaison.fhir.interactions.writes import Write


def matched(write: Write, ids: Sequence[str]) -> list[Write]:
    """Names the resource that a conditional update, patch or delete is about. A delete of several gives further writes.

    BadRequest when the body has another id than the match (R4: 'one match, resource id provided but does not match').
    """
    sent = write.tree.get("id") if write.tree is not None and write.patch is None else None
    if sent is not None and sent != ids[0]:
        raise write.problem(BadRequest("The id in the body is not that of the resource that matches.", "id"))
    write.id_ = ids[0]
    return [
        Write(write.interaction, write.type_, None, write.at, id_, headers=write.headers, added=True) for id_ in ids[1:]
    ]


def unmatched(write: Write) -> None:
    """What becomes of a conditional update, patch or delete whose criteria match nothing."""
    etag.require_absent(write.headers)
    if write.interaction == "delete":
        write.void = True
    elif write.patch is not None:
        raise write.problem(NotFound())
    elif write.tree is not None and "id" in write.tree:
        raise write.problem(
            BadRequest(
                "Nothing matches the criteria, and ids are made by the server: leave the id out to create.", "id"
            )
        )
    else:
        write.interaction = "create"


def too_many(most: int) -> str:
    return "Several resources match the criteria; only one may." if most == 1 else f"More than {most} resources match."
