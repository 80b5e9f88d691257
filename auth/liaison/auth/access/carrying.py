"""What a person has opposed in one of their records, written in the other as well when the two are merged: to all sharing, to
one person or structure, to emergency access. A masking is of an item, and stays with it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from liaison.auth.access.join import found_by
from liaison.auth.caller import Caller
from liaison.fhir.interactions.content import checked
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

_MOST: Final = 200
_KEPT: Final = (
    "resourceType",
    "status",
    "scope",
    "category",
    "dateTime",
    "policyRule",
    "provision",
    "sourceAttachment",
)
_STAFF: Final = ("Practitioner/", "PractitionerRole/", "Organization/")


async def denials_of(store: Store, cell: Caller, patient: Key, base_url: str) -> list[Tree]:
    """The oppositions in force in this record, provisional ones too.

    As they are stored: of a masking the caller is not shown the item, and what is left of it would oppose everything."""
    query = f"Consent?patient={store.reference(patient)}&status=active,proposed&_count={_MOST}"
    opposing = [tree for tree in await found_by(store, cell, query, base_url) if any(_denials(tree))]
    opened = [await store.read(cell, key) for tree in opposing if (key := store.key("Consent", tree["id"])) is not None]
    stored = [read(one.stored) for one in opened if one is not None]
    return [tree for tree in stored if any(_denials(tree))]


def carried(store: Store, to: Key, there: Sequence[Tree], others: Sequence[Tree]) -> Iterator[Tree]:
    """Those of the other record that are not said there yet, as they are to be written there."""
    said = [(tree.get("category"), rule) for tree in there for rule in _denials(tree)]
    for tree in others:
        for rule in _denials(tree):
            if (tree.get("category"), rule) not in said:
                yield checked(_rewritten({**tree, "provision": rule}, store.reference(to)), "Consent")


def _denials(rule: Tree) -> Iterator[Tree]:
    """The rules that oppose, at any depth: one within a permission is in force too, and is carried without it."""
    for one in [rule["provision"]] if isinstance(rule.get("provision"), dict) else rule.get("provision") or ():
        if one.get("type") != "deny":
            yield from _denials(one)
        elif not one.get("data"):
            yield one


def _rewritten(tree: Tree, patient: str) -> Tree:
    """Of people, staff and the person: relatives are of the record that they stand in."""
    new = {name: value for name, value in tree.items() if name in _KEPT}
    named = [str(one.get("reference", "")) for one in tree.get("performer") or ()]
    people = [patient if one.startswith("Patient/") else one for one in named if one.startswith(("Patient/", *_STAFF))]
    performers = {"performer": [{"reference": one} for one in dict.fromkeys(people)]} if people else {}
    return {**new, "patient": {"reference": patient}, **performers}
