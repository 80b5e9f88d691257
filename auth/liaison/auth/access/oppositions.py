"""« La personne s'oppose »: to all sharing, to one person or structure, or to emergency access. In force at once.

Anyone on the staff who sees the record may record it, the aide included. Until a health or social professional confirms,
it stands as a provisional restriction (Consent.status `proposed`), which never lapses by itself. The form that the
person signed may go with it, as `Consent.sourceAttachment`.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from liaison.auth.access import internal, team_writing
from liaison.auth.access.intervals import FOREVER
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES, confirms
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

MEANS: Final = ("oral", "paper", "digital")
LARGEST_SCAN: Final = 4 * 1024 * 1024
SCANS: Final = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
"""The kinds of scans, each with the bytes that it begins with."""


@dataclass(frozen=True, slots=True)
class Opposition:
    """`against` is the reference of a person or structure, '' for all sharing. `emergency`: to emergency access only.
    `signed` is the Attachment of the signed form, {} for none."""

    against: str = ""
    emergency: bool = False
    means: str = "oral"
    signed: Tree = field(default_factory=dict)


def scan(content: bytes, title: str, at: datetime) -> Tree:
    """The Attachment of a scan. Raises BadRequest for what is no PDF, JPEG or PNG, or too large to be one page."""
    if not 0 < len(content) <= LARGEST_SCAN:
        raise BadRequest(f"A scan is of {LARGEST_SCAN} bytes at most.", "Parameters.parameter.where(name='signed')")
    kind = next((kind for kind, beginning in SCANS.items() if content.startswith(beginning)), "")
    if not kind:
        raise BadRequest("A scan is a PDF, a JPEG or a PNG.", "Parameters.parameter.where(name='signed')")
    data = base64.b64encode(content).decode()
    return {"contentType": kind, "data": data, "title": title, "creation": at.isoformat(timespec="seconds")}


def checked_scan(attachment: Tree, at: datetime) -> Tree:
    """What was sent, with the kind that its own bytes say."""
    try:
        content = base64.b64decode(attachment.get("data", ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        content = b""
    return scan(content, str(attachment.get("title", "Opposition signée"))[:100], at)


async def oppose(store: Store, caller: Caller, patient: Key, stated: Opposition, base_url: str) -> str:
    """Writes the Consent, in each of the person's records that were merged, and gives the reference of the one in this
    record. Raises NotFound when the caller does not see the patient."""
    seen = await store.read(caller, patient)
    if seen is None or seen.row.deleted:
        raise NotFound
    if stated.means not in MEANS:
        raise BadRequest("The means are oral, paper or digital.", "Parameters.parameter")
    role = ROLES.get(caller.role_code)
    confirmed = confirms(caller.role_code) or (role is not None and role.category == "person")
    writes = [
        Write("create", "Consent", checked(await _consent(store, caller, one, stated, confirmed=confirmed), "Consent"))
        for one in (patient, *_merged(store, read(seen.stored)))
    ]
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        await commit(store, cell, writes, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    assert writes[0].key is not None
    return store.reference(writes[0].key)


def _merged(store: Store, patient: Tree) -> list[Key]:
    """The person's other records, merged with this one: what they say holds there too."""
    links = [link for link in patient.get("link") or () if link.get("type") in ("replaced-by", "replaces")]
    named = [str((link.get("other") or {}).get("reference", "")).removeprefix("Patient/") for link in links]
    return [key for id_ in named if (key := store.key("Patient", id_)) is not None]


async def oppose_unseen(
    store: Store, caller: Caller, cell: Caller, patient: Key, stated: Opposition, base_url: str
) -> None:
    """What a person says to a desk that found them by their identity and sees no record: in force at once, and always
    provisional, because those who know them have not confirmed that it is they. Where all sharing is opposed without
    end already, nothing is added."""
    if await store.database.reading.fetchval(_ALL_OPPOSED, patient.patient, Relation.DENY, FOREVER):
        return
    tree = await _consent(store, caller, patient, stated, confirmed=False)
    await commit(store, cell, [Write("create", "Consent", checked(tree, "Consent"))], base_url)


async def oppose_as_told(
    store: Store,
    author: Caller,
    cell: Caller,
    patient: Key,
    stated: Opposition,
    told: Tree,
    base_url: str,
    said: datetime,
) -> None:
    """What somebody of the staff recorded without a network and could do then, whatever they see now: in force at once, in each
    of the person's records that were merged, and always provisional. `told`: the Identifier of what they sent, by which whoever
    calls has found nothing yet. `said`: when they recorded it, which is the Consent's date; a moment to come counts as now."""
    seen = await store.read(cell, patient)
    if seen is None or seen.row.deleted:
        raise NotFound
    writes = []
    for one in (patient, *_merged(store, read(seen.stored))):
        tree = await _consent(store, author, one, stated, confirmed=False, said=said)
        writes.append(Write("create", "Consent", checked({**tree, "identifier": [told]}, "Consent")))
    await commit(store, cell, writes, base_url)


async def _consent(
    store: Store, caller: Caller, patient: Key, stated: Opposition, *, confirmed: bool, said: datetime | None = None
) -> Tree:
    role, now = ROLES.get(caller.role_code), await store.database.now()
    provision: dict[str, object] = {"type": "deny"}
    if stated.against:
        provision["actor"] = [team_writing.actor(stated.against)]
    if stated.emergency:
        provision["purpose"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "ETREAT"}]
    by = team_writing.staff_reference(store, caller)
    tree = team_writing.consent(
        store.reference(patient),
        "emergency-objection" if stated.emergency else "opposition",
        by if role is not None and role.category != "person" else store.reference(patient),
        min(said or now, now),
        stated.means,
        provision,
        "active" if confirmed else "proposed",
    )
    if stated.signed:
        tree["sourceAttachment"] = checked_scan(stated.signed, now)
    return tree


_ALL_OPPOSED: Final = """
    select exists (
        select from relation
        where patient = $1 and relation = $2 and principal = 0 and valid_from <= now() and valid_to >= $3
          and coalesce(jsonb_array_length(detail->'classes'), 0) = 0
    )
"""
# Denials of some classes only leave the rest open: they do not count here.
STORED: Final = """
    (select r.* from relation r where r.patient = $1 and ($7::timestamptz is null or exists (
        select from version v
        where v.patient = r.patient and v.kind = r.source_kind and v.res = r.source_res and v.version = 1 and v.at <= $7)))
    stated
"""
EVERYTHING_STATED: Final = """
    jsonb_to_recordset($1::jsonb) as
    stated(principal bigint, relation smallint, valid_from timestamptz, valid_to timestamptz, detail jsonb)
"""
"""What OPPOSED asks: the facts of a patient ($1), with a moment ($7) those that were recorded by then, whenever they say that they
began; or facts that are yet to be stored ($1, as JSON)."""
OPPOSED: Final = """
    with recursive structures as (
        select $3::bigint as organization
        union select p.part_of from organization_part p join structures s on p.organization = s.organization
        where p.part_of <> 0
    )
    select exists (
        select from {stated}
        where valid_from <= coalesce($7::timestamptz, now()) and valid_to > coalesce($7::timestamptz, now())
          and coalesce(jsonb_array_length(detail->'classes'), 0) = 0
          and ((relation = any($4::smallint[]) and (principal = any($2::bigint[])
                or principal in (select role from held_role where practitioner = $6 and $6 <> 0)
                or principal in (select organization from structures where organization <> 0)))
               or (relation = $5 and principal = 0))
    )
"""


async def opposed_to(
    store: Store, caller: Caller, patient: int, *, emergency: bool = False, at: datetime | None = None
) -> bool:
    """Whether the person opposes this caller or their structure, or everyone; with `emergency`: emergency access. `at`: then,
    and not now.

    A general opposition to sharing is not the express objection that emergency access stops at (L.1111-17 I).
    """
    return bool(
        await store.database.reading.fetchval(
            OPPOSED.format(stated=STORED),
            patient,
            [number for number in (caller.practitioner, caller.role) if number],
            caller.organization,
            [Relation.DENY, Relation.EMERGENCY_OBJECTION] if emergency else [Relation.DENY],
            Relation.EMERGENCY_OBJECTION if emergency else Relation.DENY,
            caller.practitioner or 0,
            at,
        )
    )
