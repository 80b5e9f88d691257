"""The sections of the summary: their codes, French titles, and which resources of a record stand in each.

https://hl7.org/fhir/uv/ips/STU2/StructureDefinition-Composition-uv-ips.html. A resource stands in one section at most.
What was entered in error, refuted or not done stands in none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from liaison.fhir import model
from liaison.fhir.model.dates import EARLIEST
from liaison.fhir.operations.lastn import Groups, codes
from liaison.fhir.store.contract import Tree

_LOINC: Final = "http://loinc.org"


class Item(NamedTuple):
    """A resource of the record, as `select` sees it. `name` is 'Type/id'."""

    name: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Section:
    """`required`: present even when nothing is known. `latest`: of equal codes only the last observation stands here."""

    code: str
    title: str
    belongs: Callable[[Tree], bool]
    required: bool = False
    latest: bool = False


def _status(tree: Tree, element: str) -> str:
    """The first code of a status that is a CodeableConcept."""
    codings = (tree.get(element) or {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _in_category(tree: Tree, *wanted: str) -> bool:
    """Of an Observation, whose categories are CodeableConcepts."""
    return any(
        one.get("code") in wanted for concept in tree.get("category") or () for one in concept.get("coding") or ()
    )


def _coded(tree: Tree, wanted: Iterable[str]) -> bool:
    found = {one.get("code") for one in (tree.get("code") or {}).get("coding") or () if one.get("system") == _LOINC}
    return not found.isdisjoint(wanted)


_PREGNANCY: Final = ("82810-3", "11449-6", "11778-8", "11779-6", "11780-4", "11636-8", "11637-6", "11638-4", "11639-2")
_SMOKING_AND_ALCOHOL: Final = ("72166-2", "11367-0", "74013-4", "11331-6")
_UNTRUE: Final = ("entered-in-error", "refuted")


def _allergy(tree: Tree) -> bool:
    return (
        tree["resourceType"] == "AllergyIntolerance"
        and _status(tree, "verificationStatus") not in _UNTRUE
        and _status(tree, "clinicalStatus") != "resolved"
    )


def _condition(tree: Tree) -> bool:
    return tree["resourceType"] == "Condition" and _status(tree, "verificationStatus") not in _UNTRUE


def _problem(tree: Tree) -> bool:
    return _condition(tree) and _status(tree, "clinicalStatus") in ("active", "recurrence", "relapse", "")


def _past(tree: Tree) -> bool:
    return _condition(tree) and not _problem(tree)


def _medication(tree: Tree) -> bool:
    match tree["resourceType"]:
        case "MedicationStatement":
            return tree.get("status") in ("active", "intended", "on-hold", "unknown")
        case "MedicationRequest":
            return (
                tree.get("status") in ("active", "on-hold", "unknown")
                and tree.get("intent") not in ("proposal", "option")
                and tree.get("doNotPerform") is not True
            )
        case _:
            return False


def _of(type_: str, *statuses: str) -> Callable[[Tree], bool]:
    return lambda tree: tree["resourceType"] == type_ and tree.get("status") in statuses


_DONE: Final = ("completed", "in-progress", "on-hold", "stopped", "unknown")
_MEASURED: Final = ("final", "amended", "corrected", "preliminary", "registered", "unknown")


def _observation(tree: Tree) -> bool:
    return tree["resourceType"] == "Observation" and tree.get("status") in _MEASURED


def _pregnancy(tree: Tree) -> bool:
    return _observation(tree) and _coded(tree, _PREGNANCY)


def _social(tree: Tree) -> bool:
    if not _observation(tree) or _pregnancy(tree):
        return False
    return _in_category(tree, "social-history") or _coded(tree, _SMOKING_AND_ALCOHOL)


def _vital(tree: Tree) -> bool:
    return _observation(tree) and _in_category(tree, "vital-signs") and not _social(tree)


def _result(tree: Tree) -> bool:
    if tree["resourceType"] == "DiagnosticReport":  # others are told by the observations they are made of
        return tree.get("status") in _MEASURED and bool(tree.get("conclusion") or tree.get("conclusionCode"))
    if not _observation(tree) or not _in_category(tree, "laboratory", "imaging", "exam", "procedure"):
        return False
    return not (_vital(tree) or _social(tree) or _pregnancy(tree))


def _directive(tree: Tree) -> bool:
    """http://terminology.hl7.org/CodeSystem/consentscope: adr, an advance care directive."""
    return tree["resourceType"] == "Consent" and tree.get("status") == "active" and _status(tree, "scope") == "adr"


SECTIONS: Final[tuple[Section, ...]] = (
    Section("11450-4", "Problèmes de santé", _problem, required=True),
    Section("48765-2", "Allergies et intolérances", _allergy, required=True),
    Section("10160-0", "Traitements médicamenteux", _medication, required=True),
    Section("11369-6", "Vaccinations", _of("Immunization", "completed")),
    Section("30954-2", "Résultats d’examens", _result, latest=True),
    Section("47519-4", "Actes et interventions", _of("Procedure", *_DONE)),
    Section("46264-8", "Dispositifs médicaux", _of("DeviceUseStatement", "active", "intended", "on-hold", "completed")),
    Section("104605-1", "Alertes", _of("Flag", "active")),
    Section("8716-3", "Constantes", _vital, latest=True),
    Section("18776-5", "Plan de soins", _of("CarePlan", "active", "on-hold", "draft")),
    Section("29762-2", "Mode de vie", _social, latest=True),
    Section("11348-0", "Antécédents médicaux", _past),
    Section("10162-6", "Grossesses", _pregnancy, latest=True),
    Section("42348-3", "Directives anticipées", _directive),
)

TYPES: Final = frozenset(
    [
        *("AllergyIntolerance", "CarePlan", "Condition", "Consent", "DeviceUseStatement", "DiagnosticReport", "Flag"),
        *("Immunization", "MedicationRequest", "MedicationStatement", "Observation", "Patient", "Procedure"),
    ]
)
"""What is looked at. A resource of another type is in the summary only because one of these refers to it."""


def select(record: Sequence[Item]) -> Mapping[str, list[Item]]:
    """What stands in each section, by its code: newest first, then by name. Empty sections are there, empty."""
    found: dict[str, list[Item]] = {section.code: [] for section in SECTIONS}
    for item in record:
        section = next((one for one in SECTIONS if one.belongs(item.tree)), None)
        if section is not None:
            found[section.code].append(item)
    for section in SECTIONS:
        items = sorted(found[section.code], key=lambda item: item.name)
        items.sort(key=_moment, reverse=True)
        found[section.code] = _latest(items) if section.latest else items
    return found


def _moment(item: Item) -> datetime:
    return model.clinical(item.tree["resourceType"], item.tree) or EARLIEST


def _latest(items: Sequence[Item]) -> list[Item]:
    """The last of each code, and what was measured at the same moment. Reports and observations apart."""
    groups = Groups()
    joined = [groups.join((item.tree["resourceType"], code) for code in codes(item.tree)) for item in items]
    moments: dict[Any, datetime] = {}
    kept = []
    for item, code in zip(items, joined, strict=True):
        if _moment(item) == moments.setdefault(groups.of(code), _moment(item)):
            kept.append(item)
    return kept
