"""The Composition and the Bundle around it: https://hl7.org/fhir/uv/ips/STU2/StructureDefinition-Bundle-uv-ips.html

Everything in it follows from what stands in it: the moment is that of the newest version, the identifiers are a digest of
the versions. Equal data gives equal bytes, on whatever day.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import orjson

from liaison.fhir.operations.ips import narrative
from liaison.fhir.operations.ips.narrative import Known
from liaison.fhir.operations.ips.sections import SECTIONS, Item, Section
from liaison.fhir.store.contract import Tree

PROFILES: Final = (
    "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips",
    "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips",
)
TITLE: Final = "Résumé médical international du patient"
_LOINC: Final = "http://loinc.org"
_EMPTY: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "unavailable"}],
    "text": narrative.NOTHING,
}
"""Why a section is empty. The same whether there is nothing, or nothing that this caller may see."""


def composition(
    patient: Item,
    chosen: Mapping[str, Sequence[Item]],
    known: Known,
    author: Tree,
    moment: datetime,
    base_url: str,
    mark: bytes,
) -> Tree:
    """The Composition. References are absolute: it has no address of its own for relative ones to start from.

    `mark` stands for all that is in the document; `author` is a Reference.
    """
    sections = [
        _section(section, chosen[section.code], known, base_url)
        for section in SECTIONS
        if chosen[section.code] or section.required
    ]
    return {
        "resourceType": "Composition",
        "meta": {"profile": [PROFILES[1]]},
        "language": "fr-FR",
        "text": {
            "status": "generated",
            "div": narrative.div(narrative.paragraph(TITLE), narrative.paragraph(narrative.person(patient.tree))),
        },
        "identifier": {"system": "urn:ietf:rfc:3986", "value": _uuid(b"composition", mark)},
        "status": "final",
        "type": {"coding": [{"system": _LOINC, "code": "60591-5", "display": "Patient summary Document"}]},
        "subject": {"reference": f"{base_url}/{patient.name}"},
        "date": _instant(moment),
        "author": [author],
        "title": TITLE,
        **({"custodian": author} if "Organization/" in author.get("reference", "") else {}),
        "section": sections,
    }


def _section(section: Section, items: Sequence[Item], known: Known, base_url: str) -> Tree:
    made: Tree = {"title": section.title, "code": {"coding": [{"system": _LOINC, "code": section.code}]}}
    if items:
        made["text"] = {"status": "generated", "div": narrative.listed(items, known)}
        made["entry"] = [{"reference": f"{base_url}/{item.name}"} for item in items]
    else:
        made["text"] = {"status": "generated", "div": narrative.div(narrative.paragraph(narrative.NOTHING))}
        made["emptyReason"] = _EMPTY
    return made


def bundle(head: Tree, entries: Sequence[tuple[str, bytes]], moment: datetime, base_url: str, mark: bytes) -> bytes:
    """The document: the Composition, then ('Type/id', stored bytes) of each resource."""
    opening = orjson.dumps(
        {
            "resourceType": "Bundle",
            "meta": {"profile": [PROFILES[0]]},
            "language": "fr-FR",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": _uuid(b"bundle", mark)},
            "type": "document",
            "timestamp": _instant(moment),
        }
    )
    parts = [b'{"fullUrl":"%b","resource":%b}' % (_uuid(b"composition", mark).encode(), orjson.dumps(head))]
    base = base_url.encode()
    parts += [b'{"fullUrl":"%b/%b","resource":%b}' % (base, name.encode(), body) for name, body in entries]
    return opening[:-1] + b',"entry":[' + b",".join(parts) + b"]}"


def mark_of(versions: Sequence[tuple[str, int]], author: Tree) -> bytes:
    """What stands for the content of a document: every resource in it, by name and version, in order."""
    return sha256(orjson.dumps([versions, author])).digest()


def _uuid(what: bytes, mark: bytes) -> str:
    return UUID(bytes=sha256(what + mark).digest()[:16], version=5).urn


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
