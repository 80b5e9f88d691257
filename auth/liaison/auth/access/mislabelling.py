"""What is written to be more closed, and would not be: refused by name, instead of kept without effect.

* A label of the data classes that the classification gives no class to. Masking is a right of the person, by a Consent or the
  DMP's label of a document; an alert is one by its code.
* A content in what rights derive from (`fixed`): all who need the rights read it, whatever it holds.
"""

from collections.abc import Sequence
from typing import Final

from liaison.auth.access import nested, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import content_of, rules
from liaison.fhir.errors import BadRequest, Unprocessable
from liaison.fhir.store.contract import Change, Tree

_LABEL: Final = vocabulary.DATA_CLASS.encode()
_MASKING: Final = "a masking is a Consent (provision.type deny, the item in provision.data), or the label MASQUE_PS of TRE_A07 on a document"


def check(changes: Sequence[Change]) -> None:
    """Raises BadRequest or Unprocessable."""
    for change in changes:
        if change.tree is not None and change.key.patient:
            if _LABEL in change.body:  # asked of every write: hardly anything is labelled
                _check_labels(change.tree)
            if change.type_ in rules().fixed:
                _check_content(change.tree)


def _check_labels(tree: Tree) -> None:
    for one in (tree, *nested.held_in(tree).resources):
        for label in (one.get("meta") or {}).get("security") or ():
            system, code = label.get("system"), label.get("code")
            if system == vocabulary.DATA_CLASS and rules().label(system, str(code)) is None:
                told = _MASKING if code == "MASKED" else "no class is set by it"
                raise BadRequest(f"{code} is no label of {system}: {told}.", f"{one['resourceType']}.meta.security")


def _check_content(tree: Tree) -> None:
    type_ = tree["resourceType"]
    usual = rules().types.get(type_, Class.CLIN)
    if not content_of(tree) & ~usual:  # nearly always
        return
    for name, value in tree.items():
        if content_of({name: value}) & ~usual:
            raise Unprocessable(
                f"{type_}.{name} holds what is more closed than a {type_}, from which rights derive: write it as a resource of"
                " its own.",
                f"{type_}.{name}",
            )
