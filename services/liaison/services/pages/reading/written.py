"""What somebody wrote: documents, reports and messages, and the words in them.

http://hl7.org/fhir/R4/documentreference.html, diagnosticreport.html and communication.html
"""

import base64
from typing import Any, Final

from liaison.protocols import codes
from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say, label, labels

Tree = dict[str, Any]


_ONE_LINE: Final = 160
"""Characters of a note that are still its own title; a longer one unfolds under the words of its type."""
# http://hl7.org/fhir/R4/valueset-document-relationship-type.html
_RELATED: Final = {
    "replaces": _("remplace un autre document"),
    "appends": _("complète un autre document"),
    "transforms": _("traduit ou transforme un autre document"),
    "signs": _("signe un autre document"),
}
_URGENT: Final = frozenset({"urgent", "asap", "stat"})


def text_of(tree: Tree) -> str:
    """The words that someone wrote: a note's attachment, a report's form, a message's payload."""
    attachments = [content.get("attachment", {}) for content in tree.get("content", [])]
    for attachment in [*attachments, *tree.get("presentedForm", [])]:
        if str(attachment.get("contentType", "")).startswith("text/") and "data" in attachment:
            try:
                return base64.b64decode(attachment["data"]).decode("utf-8", "replace")
            except ValueError:  # binascii.Error is one; so is what is not ASCII
                return ""
    return "\n".join(str(one["contentString"]) for one in tree.get("payload", []) if one.get("contentString"))


def is_note(tree: Tree) -> bool:
    """Whether it is a note of the cahier de liaison: its words are all that it is."""
    type_ = tree.get("type")
    if tree.get("resourceType") != "DocumentReference" or not isinstance(type_, dict):
        return False
    return any(one.get("system") == codes.NOTE_TYPE for one in type_.get("coding", []))


def document(tree: Tree, say: Say = str) -> str:
    """Its description, its own words where they are few, or its type; and what it is to another one."""
    words = text_of(tree)
    title = words if len(words) <= _ONE_LINE or is_note(tree) else ""
    said = str(tree.get("description") or title or label(tree.get("type")))
    said = said or words[:_ONE_LINE]
    related = [say(_RELATED[code]) for one in tree.get("relatesTo", []) if (code := str(one.get("code"))) in _RELATED]
    return f"{said} ({', '.join(dict.fromkeys(related))})" if said and related else said


def report(tree: Tree, _say: Say = str) -> str:
    found = (label(tree.get("code")), str(tree.get("conclusion", "")), *labels(tree.get("conclusionCode")))
    return ", ".join(dict.fromkeys(filter(None, found)))


def message(tree: Tree, say: Say = str) -> str:
    """All that it says, the titles of what is attached to it, and that it is urgent."""
    attached = [str((one.get("contentAttachment") or {}).get("title") or "") for one in tree.get("payload", [])]
    said = "\n".join(filter(None, (text_of(tree), *attached))) or next(iter(labels(tree.get("category"))), "")
    return f"{said} ({say(_('urgent'))})" if said and tree.get("priority") in _URGENT else said
