"""The classes of a resource, by the classification in use: from its type, codes, labels, service and author, and those of
all that it holds (access.nested). Never empty.

`classification.yaml` is the packaged one. Which is in force, the base says (access.adopted): whoever writes, or classifies again, asks
there in its transaction and says it here (`use`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Final

from liaison.auth.access import contents, nested, prose, vocabulary
from liaison.auth.access.class_rules import SENSITIVE, Coding, Rules
from liaison.auth.access.class_text import packaged_text, parse
from liaison.auth.access.classes import Class, union
from liaison.auth.access.owners import addressee_of, author_of, service_of, signatories
from liaison.auth.access.systems import called
from liaison.auth.access.table import digest_of
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Labels, Referred, Tree

CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


_READING: Final = (
    "14: a clinical content by what is written in it, in its attachments of text, and by what its references are called; a code without a system counts by each that has it, an expression by its parts, a clinical content by what it is called;"
    " a bill that tells of care is clinical too; what names another record is marked; a Binary is no identity because of whose it is; a code system counts by each of its names, and who signs counts where they stand in"
    " the resource; a Provenance is as closed as its targets are stored, a Binary as what it says; what is nested is classed by what it holds, and a sensitive code counts wherever it stands; what tells of masked items is masked; what names these, or sensitive ones, in a reference or by an address that is a"
    " text of its own, is marked; contents and former versions follow; no consent opens what is not the person's to give"
)


def digest(adopted: str = "") -> str:
    """By which it is recognised what every resource was classified by, with what code does beside the rules: what was classified
    otherwise is classified again (access.reclassifying). `adopted`: the digest of an adopted text; '' for the packaged one."""
    return digest_of(f"{_READING}\n{adopted or packaged_text()}")


_in_use: str | None = None


def in_use() -> str:
    """The text by which this process classifies now."""
    return packaged_text() if _in_use is None else _in_use


def use(text: str) -> bool:
    """From now on by this text. Whether that is another than before. Raises BadTable, and goes on by the one before."""
    global _in_use
    changed = text != in_use()
    parse(text)
    _in_use = None if text == packaged_text() else text
    return changed


def rules() -> Rules:
    """Those in use, with all that is sensitive as packaged: one that was adopted before this version knew a code system, too."""
    return _with_the_packaged(in_use())


@lru_cache(8)
def _with_the_packaged(text: str) -> Rules:
    known, packaged = parse(text), parse(packaged_text())
    more = tuple(rule for rule in packaged.besides if rule not in known.besides)
    words = tuple(one for one in packaged.words if one not in known.words)
    return replace(known, besides=(*known.besides, *more), words=(*known.words, *words)) if more or words else known


_OF_CARE: Final = ("diagnosis", "procedure", "prescription", "productOrService", "productCodeableConcept", "reason")
"""Of Claim, ExplanationOfBenefit, CoverageEligibilityRequest and ChargeItem, at the root or in an item."""
_ELEMENTS: Final = (
    "category",
    "code",
    "type",
    "class",
    "serviceType",
    "reasonCode",
    "vaccineCode",
    "medicationCodeableConcept",
)


def _codings(tree: Mapping[str, Any]) -> Iterator[Coding]:
    for element in _ELEMENTS:
        given = tree.get(element)
        if given is None:
            continue
        for concept in given if isinstance(given, list) else [given]:
            if isinstance(concept, dict):
                for coding in concept.get("coding") or [concept]:
                    if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                        system = coding.get("system")
                        yield Coding(element, called(system) if isinstance(system, str) else "", coding["code"])
    if isinstance(canonical := tree.get("questionnaire"), str):
        yield Coding("questionnaire", "", canonical)


def _labels(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(system, code) of the security labels of the resource itself."""
    meta = tree.get("meta")
    codings = list(meta.get("security") or ()) if isinstance(meta, dict) else []
    for concept in tree.get("securityLabel") or ():
        if isinstance(concept, dict):
            codings += concept.get("coding") or ()
    for coding in codings:
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield called(coding.get("system") or ""), coding["code"]


@lru_cache(4_096)
def _by_codes(known: Rules, type_: str, status: str, codings: tuple[Coding, ...]) -> tuple[Class, Class]:
    """What the rules say, and add. Most resources of a record carry the codes of another: they are looked at once."""
    usual = known.types.get(type_, Class.CLIN)
    classes = next((rule.classes for rule in known.instead if rule.holds(type_, status, codings)), usual)
    besides = (rule.classes for rule in known.besides if rule.holds(type_, status, codings))
    return classes, reduce(or_, besides, Class(0))


@lru_cache(16_384)
def _is_sensitive(known: Rules, coding: tuple[str, str]) -> bool:
    return bool(known.sensitive(*coding))


def own_classes(tree: Mapping[str, Any]) -> Class:
    """From the resource alone: the type, codes and labels of it and of each that it holds, and every sensitive code."""
    held = nested.held_in(tree)
    return _with_its_words(_by_itself(tree) | _content(held), held, tree)


def content_of(tree: Mapping[str, Any]) -> Class:
    """What a resource, or a part of one, is by what stands in it, whatever it is itself."""
    return _content(nested.held_in(tree))


_SPEAKING: Final = Class.CLIN | Class.MEDS | Class.LAB | Class.ALLERGY | Class.STAY
"""What is classed by what it is called and by what is written in it, too. What an aide, a manager or a relative writes is not:
their words always pass. Nor is a synthesis, or what was marked for social follow-up: it was written to be read by all of them."""
_KEPT: Final = 200
"""Up to so many letters a sentence is often that of another resource, and what it says is kept."""


def _with_its_words(classes: Class, held: nested.Held, tree: Mapping[str, Any]) -> Class:
    if not classes & _SPEAKING:
        return classes
    known = rules()
    for one in held.texts:
        classes |= _told(known, one)
    for _, code in held.codings:
        classes |= _said(known, code)  # in a system of one's own, a code is a word
    for one in prose.prose_in(tree):
        classes |= _said(known, one) if len(one) <= _KEPT else known.said(one)
    return classes


@lru_cache(16_384)
def _told(known: Rules, text: str) -> Class:
    return known.told(text)


@lru_cache(16_384)
def _said(known: Rules, text: str) -> Class:
    return known.said(text)


def _content(held: nested.Held) -> Class:
    known = rules()
    classes = [known.sensitive(*one) for one in held.codings if _is_sensitive(known, one)]  # hardly ever
    classes += [_by_itself(one) for one in held.resources if one["resourceType"] not in nested.NO_CONTENT]
    return reduce(or_, classes, Class(0))


def _by_itself(tree: Mapping[str, Any]) -> Class:
    """Without what it holds."""
    known, type_ = rules(), tree["resourceType"]
    if type_ in known.fixed:
        classes = known.types.get(type_, Class.CLIN)
        return classes | Class.MASKED if type_ == "Consent" and _masks(tree.get("provision")) else classes
    status = tree.get("status")
    classes, besides = _by_codes(known, type_, status if isinstance(status, str) else "", tuple(_codings(tree)))
    restricted = False
    for system, code in _labels(tree):
        label = known.label(system, code)
        if label is None:
            restricted |= system == CONFIDENTIALITY and code in known.restricted
        elif label.replaces:
            # The review list and reports of abuse stay what they are, whatever they are called.
            classes = classes if classes & (Class.AUD | Class.PROT) else label.classes
        else:
            besides |= label.classes
    if classes & Class.FILE and _tells_of_care(tree):
        besides |= Class.CLIN
    if restricted and not besides & SENSITIVE and classes not in (Class.SOC, Class.HOMEPLAN):
        besides |= Class.SENS
    return classes | besides


def _tells_of_care(tree: Mapping[str, Any]) -> bool:
    """Whether a bill, a cover or an account says what the person has, or what was done: by its diagnoses, procedures, products."""
    items = tree.get("item")
    parts = [tree, *(one for one in items if isinstance(one, dict))] if isinstance(items, list) else [tree]
    return any(part.get(name) for part in parts for name in _OF_CARE)


def said_besides(tree: Mapping[str, Any]) -> Class:
    """What its own codes and labels make of a resource beside the class of its type."""
    return own_classes(tree) & ~rules().types.get(tree["resourceType"], Class.CLIN)


def _masks(provision: object) -> bool:
    """Whether a Consent masks items: it then says that they exist, and is as hidden as they are."""
    if isinstance(provision, list):
        return any(_masks(one) for one in provision)
    if not isinstance(provision, dict):
        return False
    return (provision.get("type") == "deny" and bool(provision.get("data"))) or _masks(provision.get("provision"))


def is_psychiatric_service(organization: Mapping[str, Any]) -> bool:
    """By its type, or failing that by a word of its name."""
    known = rules()
    if any(coding.code in known.psychiatric_codes for coding in _codings(organization) if coding.element == "type"):
        return True
    name = str(organization.get("name", "")).lower()
    return any(word in name for word in known.psychiatric_words)


def _is_psychiatrist(role: Mapping[str, Any]) -> bool:
    return any(
        coding.get("system") == vocabulary.SPECIALTY and coding.get("code") in rules().psychiatrists
        for concept in role.get("specialty") or ()
        for coding in concept.get("coding") or ()
    )


def classify(tree: Tree, related: Mapping[str, Tree]) -> Labels:
    """Classes and owners. `related` gives what the resource refers to, by relative reference, as far as it is known."""
    if tree["resourceType"] == contents.BINARY:
        return _of_its_holders(tree, related)
    held = nested.held_in(tree)
    classes, content = _by_itself(tree), _content(held)
    own = _with_its_words(classes | content, held, tree)
    if isinstance(related, Referred):
        related.found[rules(), f"{tree['resourceType']}/{tree.get('id')}"] = own
    if tree["resourceType"] == "Provenance":  # as closed as what it is about
        about = (name for name in _targets(tree) if name.partition("/")[0] != "Provenance")
        classes = reduce(or_, (_own_of(name, related) for name in about), Class(0)) or classes
        own = _with_its_words(classes | content, held, tree)
    classes = own
    author, service = author_of(tree), service_of(tree, related)
    written = [(tree, author, service), *((one, author_of(one), service_of(one, related)) for one in held.resources)]
    for one, by, place in written:
        if one["resourceType"] not in rules().fixed:
            classes |= _of_its_medicine(one, related)
            nearby = _signing_here(one, held)
            if classes & _CLINICAL and _of_psychiatry(one, related.get(by), related.get(place), related, nearby):
                classes |= Class.PSY
    return Labels(int(classes), author, service, addressee_of(tree))


def _own_of(name: str, related: Mapping[str, Tree]) -> Class:
    """What a resource that is referred to is by itself; nothing for one that is not known. Found once for a unit: a hundred
    resources may name one encounter."""
    found = related.found if isinstance(related, Referred) else {}
    asked = rules(), name
    if asked not in found:
        known = related.get(name)
        found[asked] = Class(0) if known is None else own_classes(known)
    own: Class = found[asked]
    return own


def _signing_here(tree: Mapping[str, Any], held: nested.Held) -> list[Tree]:
    """Who wrote it and where, as far as they stand in the resource: contained, or as an entry; a role with its structure."""
    if not held.names:
        return []
    found = [one for name in signatories(tree) for one in held.names.get(name, ())]
    return found + [one for role in found for one in held.names.get(_reference(role.get("organization")), ())]


def _of_psychiatry(
    tree: Mapping[str, Any],
    writer: Tree | None,
    place: Tree | None,
    related: Mapping[str, Tree],
    nearby: Iterable[Tree],
) -> bool:
    """By who wrote it, in which service, or in the course of what. `nearby`: those who stand in the resource."""
    if any(_is_psychiatrist(one) or is_psychiatric_service(one) for one in nearby):
        return True
    return (
        (writer is not None and _is_psychiatrist(writer))
        or (place is not None and is_psychiatric_service(place))
        or bool(_own_of(_reference(tree.get("encounter")) or _encounter_of_document(tree), related) & Class.PSY)
    )


def _of_its_holders(tree: Tree, related: Mapping[str, Tree]) -> Labels:
    """Of a Binary: what each resource is that it is content of, as far as they are known here; CLIN failing any."""
    found = contents.holders(tree, related.values())
    if (governing := related.get(contents.governed_by(tree))) is not None:
        found.append(governing)
    held = [classify(dict(one), related) for one in found]
    own = own_classes(tree)
    if not held:
        return Labels(int(own), author_of(tree), service_of(tree, related), addressee_of(tree))
    classes = reduce(or_, (Class(one.classes) for one in held))
    # What an aide attached to a note passes, as the note does.
    classes |= said_besides(tree) if classes & _SPEAKING else _by_itself(tree) & SENSITIVE
    return Labels(int(classes), held[0].author, held[0].service, held[0].addressee)


_CLINICAL: Final = union(("CLIN", "VITAL"))
"""What a psychiatric service makes PSY. Its appointments, tasks and the care team's own content stay coordination."""


def _of_its_medicine(tree: Mapping[str, Any], related: Mapping[str, Tree]) -> Class:
    """What is sensitive about the Medication that it refers to: a treatment is as closed as if the medicine were written in
    it. As the Medication is when the treatment is written; a label that comes later is followed (access.reclassifying)."""
    return _own_of(_reference(tree.get("medicationReference")), related) & SENSITIVE


def _targets(tree: Mapping[str, Any]) -> Iterator[str]:
    for target in tree.get("target") or ():
        yield _reference(target)


def _reference(value: object) -> str:
    return unversioned(str(value.get("reference", ""))) if isinstance(value, dict) else ""


def _encounter_of_document(tree: Mapping[str, Any]) -> str:
    context = tree.get("context")
    given = context.get("encounter") if isinstance(context, dict) else context
    first = given[0] if isinstance(given, list) and given else given
    return _reference(first)
