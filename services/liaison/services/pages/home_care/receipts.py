"""What the aide is told of what she has just sent: read from what the record now holds, not from what the form hoped for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liaison.protocols.filing import IN_ERROR, SYSTEM, part
from liaison.services.pages.clinician.alerts import told
from liaison.services.pages.home_care import comparing
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.record import Record

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """When it came in; whether it corrected a visit, and what changed; whether it was a word added to one; and for an
    alert, who is to read it, or who has."""

    at: datetime
    corrected: bool = False
    changes: tuple[comparing.Row, ...] = ()
    added: bool = False
    alert: bool = False
    recipients: tuple[str, ...] = ()
    seen_by: str = ""


async def of(record: Record, sent: Mapping[str, str], say: Say = str) -> Receipt | None:
    """None without anything just sent, or when the record does not show it."""
    added = sent.get("mot", "")
    reference = f"DocumentReference/{added}" if added else f"Encounter/{sent.get('visite', '')}"
    tree = await record.read(reference)
    if tree is None:
        return None
    # Two people may have filed under one number, from one phone, without seeing each other's visit.
    about = (tree.get("context") or {}).get("encounter") or [{}]
    visit = str(about[0].get("reference", "")) if added else reference
    (corrected, changes, at), (alert, recipients, seen_by) = await asyncio.gather(
        _corrected(record, tree, visit, say), _alert(record, part(tree)[0], visit)
    )
    return Receipt(at, corrected, changes, bool(added), alert, recipients, seen_by)


async def _corrected(
    record: Record, tree: Tree, visit: str, say: Say
) -> tuple[bool, tuple[comparing.Row, ...], datetime]:
    at = moments.written(tree)
    if tree["resourceType"] != "Encounter":
        return False, (), at
    query = {"identifier": f"{SYSTEM}|{part(tree)[0]}#response", "encounter": visit, "_count": "1"}
    for response in await record.search("QuestionnaireResponse", query, most=1):
        number = int(response["meta"]["versionId"])
        at = max(at, moments.written(response))
        before = await record.version(response, number - 1) if number > 1 else None
        if before is not None:
            rows = comparing.rows(before.get("item", []), response.get("item", []), say)
            return True, tuple(row for row in rows if not row.same), at
    return False, (), at


async def _alert(record: Record, number: str, visit: str) -> tuple[bool, tuple[str, ...], str]:
    query = {"identifier": f"{SYSTEM}|{number}#alert", "encounter": visit, "_count": "1"}
    for alert in await record.search("Task", query, most=1) if number else ():
        if alert.get("status") == IN_ERROR:
            continue
        # Who answers becomes the owner: the first recipients are no longer its.
        if seen_by := told(alert, record.now()).seen_by:
            return True, (), seen_by
        people = [alert.get("owner", {}), *alert.get("restriction", {}).get("recipient", [])]
        return True, tuple(str(one["display"]) for one in people if "reference" in one and "display" in one), ""
    return False, (), ""
