"""Amending: one's own entry, freely, for 24 hours; anything else by a new version with a Provenance (the default write
of the table). When the sender brings none, the service writes it: who changed what, in which role, and that it is a
correction."""

from collections.abc import Mapping
from typing import Final

from liaison.auth.access.classes import HIDING, union
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.writing import OWN_WINDOW, First
from liaison.fhir.definitions import kind_of
from liaison.fhir.model import dump
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Labels, Tree
from liaison.fhir.store.ids import Ids, new_resource
from liaison.fhir.vault import PatientKey

_CLINICAL: Final = union(("CLIN", "VITAL", "ETP", "PSY", "SENS"))
_PROVENANCE: Final = kind_of("Provenance")
_DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def add_provenance(
    ids: Ids, keys: Mapping[int, PatientKey], who: Standing, changes: list[Change], first: Mapping[Key, First]
) -> None:
    """Appends the Provenance of each amendment that has none in the same transaction."""
    told = {reference for change in changes if change.type_ == "Provenance" for reference in _targets(change.tree)}
    for change in [one for one in changes if _is_amendment(one)]:
        key = keys[change.key.patient]
        age, author = first.get(change.key, First(OWN_WINDOW, 0))
        own = author != 0 and author == Owners.of(key, who.signature).author
        reference = f"{change.type_}/{ids.encode(change.key)}"
        if reference not in told and not (own and age < OWN_WINDOW):
            changes.append(_provenance(ids, who, change, reference))


def _is_amendment(change: Change) -> bool:
    clinical = bool(change.labels.classes & _CLINICAL)
    return change.interaction == "update" and clinical and change.type_ not in ("Provenance", "Encounter")


def _targets(tree: Tree | None) -> set[str]:
    found = set()
    for target in (tree or {}).get("target") or ():
        if isinstance(reference := target.get("reference"), str):
            found.add(reference.partition("/_history/")[0])
    return found


def _provenance(ids: Ids, who: Standing, change: Change, reference: str) -> Change:
    key = Key(change.key.patient, _PROVENANCE, new_resource())
    assert change.tree is not None
    moment = change.tree["meta"]["lastUpdated"]
    agent: Tree = {"who": {"display": "Logiciel" if not who.practitioner else "Utilisateur"}}
    if who.role:
        agent = {"who": {"reference": f"PractitionerRole/{ids.encode(Key(0, kind_of('PractitionerRole'), who.role))}"}}
    elif who.signature.author:
        agent = {"who": {"reference": who.signature.author}}
    if who.organization:
        organization = f"Organization/{ids.encode(Key(0, kind_of('Organization'), who.organization))}"
        agent = {**agent, "onBehalfOf": {"reference": organization}}
    tree: Tree = {
        "resourceType": "Provenance",
        "id": ids.encode(key),
        "meta": {"versionId": "1", "lastUpdated": moment},
        "target": [{"reference": f"{reference}/_history/{change.version}"}],
        "recorded": moment,
        "activity": {"coding": [{"system": _DATA_OPERATION, "code": "UPDATE"}]},
        "agent": [agent],
    }
    classes = change.labels.classes & ~NAMES_HIDDEN
    labels = Labels(
        classes | (NAMES_HIDDEN if classes & HIDING else 0), who.signature.author, change.labels.service
    )  # it names the item, and nothing else
    return Change("create", key, "Provenance", 1, tree, labels=labels, body=dump(tree), at=change.at)
