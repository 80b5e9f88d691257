"""The sentences that stand in a resource, at whatever depth: notes, values in words, descriptions, titles, the narrative, what a
reference is called, and the text of an attachment. Not what a question asks: a form that asks everybody about violence says
nothing of who answers; once it is answered, it does.

Limit: an attachment that is no text, a PDF or a picture, is known by its title and description alone.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Final

from liaison.fhir.definitions import DIRECTORY_TYPES

ELEMENTS: Final = frozenset({
    "administrationInstruction", "ageString", "baseFormulaProductName", "abatementString", "basis", "bornString", "comment",
    "conclusion", "contentString", "deceasedString", "description", "detail", "detailString", "deviceName", "disposition", "div",
    "documentType", "instruction", "mitigation", "name", "occurrenceString", "onsetString", "outcomeDesc", "overrideReason",
    "patientInstruction", "performedString", "productName", "rationale", "reason", "scheduledString", "statusReason",
    "summary", "text", "textEquivalent", "title", "unit", "valueMarkdown", "valueString",
})  # fmt: skip
"""The elements of R4 that hold sentences about somebody. `text` is that of an Annotation, a Dosage or a CodeableConcept."""
_PEOPLE: Final = DIRECTORY_TYPES | {"Patient", "Person", "RelatedPerson"}
_MARKUP: Final = re.compile(r"<[^>]*>")
_ATTRIBUTE: Final = re.compile(r"""\b(?:alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TEXTS: Final = re.compile(r"text/|[^;]*\b(?:xml|json|rtf)\b", re.IGNORECASE)
_CHARSET: Final = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\'([0-9a-f]{2})", re.IGNORECASE)


def prose_in(tree: Any) -> Iterator[str]:
    """Each sentence that stands in it."""
    waiting = [tree]
    for node in waiting:  # which grows meanwhile
        if type(node) is list:
            waiting += [child for child in node if type(child) is dict or type(child) is list]
            continue
        for name, child in node.items():
            if type(child) is dict or type(child) is list:
                waiting.append(child)
            elif type(child) is not str:
                continue
            elif name in ELEMENTS:
                if name == "div":
                    yield from _shown(child)
                elif not (name == "text" and "linkId" in node) or "answer" in node:
                    yield child
            elif name == "data":
                yield from _attached(node, child)
            elif (
                name == "display"
                and ("reference" in node or "identifier" in node or "type" in node)
                and not _names_somebody(node)
            ):
                yield child


def _names_somebody(reference: Mapping[str, Any]) -> bool:
    """Whether it leads to a person or a structure: it is called by their name."""
    kind = reference.get("type")
    if type(kind) is not str:
        *_, kind, _id = ("", "", *str(reference.get("reference", "")).partition("/_history/")[0].split("/"))
    return kind in _PEOPLE


def _shown(markup: str) -> Iterator[str]:
    """What one reads of it: a tag may part two words, or stand within one; and what stands for a picture."""
    yield unescape(_MARKUP.sub(" ", markup))
    yield unescape(_MARKUP.sub("", markup))
    for quoted in _ATTRIBUTE.findall(markup):
        yield unescape("".join(quoted))


def _attached(attachment: Mapping[str, Any], data: str) -> Iterator[str]:
    """The text of an attachment or a Binary; of one that does not say what it is, if it is one."""
    kind = attachment.get("contentType")
    if type(kind) is str and not _TEXTS.match(kind):
        return
    try:
        raw = b64decode(data)
    except ValueError:
        return
    text = _decoded(raw, kind or "")
    if text is None:
        return
    if type(kind) is str and "rtf" in kind.lower():
        text = _ESCAPED.sub(lambda found: bytes.fromhex(found[1]).decode("cp1252", "ignore"), text)
    yield text
    if "<" in text:
        yield from _shown(text)


def _decoded(raw: bytes, kind: str) -> str | None:
    """By the character set that it says, else by what it is readable as; None for what is no text."""
    said = _CHARSET.search(kind)
    for name in (said[1] if said else "utf-8", "utf-8", "cp1252"):
        try:
            text = raw.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
        return None if not kind and "\0" in text else text
    return raw.decode("latin-1") if kind else None
