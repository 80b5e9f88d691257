"""Consent of scope patient-privacy: permits, oppositions, objection to emergency access, masking, information given.

An opposition counts from its recording (`proposed`: provisional), a permit only once `active`. A permit that limits
itself in a way the rules cannot follow (types, codes, dates or items of data) gives nothing; a denial that does so
denies all it could mean. Nested provisions are read with their own type.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import named
from liaison.auth.access.facts.reading import STAFF, Reading, codes, period
from liaison.auth.access.intervals import ALWAYS, Interval
from liaison.auth.access.purposes import Purpose, from_code
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source

SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SENSITIVITY: Final = {"PSY": "PSY", "PSYTHPN": "PSY", "MH": "PSY", "HIV": "SENS", "ETH": "SENS", "SEX": "SENS", "STD": "SENS",
                       "SDV": "SENS"}  # fmt: skip
_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
_ACT_REASON_OID: Final = "urn:oid:2.16.840.1.113883.5.8"
_CARE: Final = frozenset({Purpose.TREAT, Purpose.COORD})
NO_CARE: Final = frozenset({
    "HMARKT", "HPAYMT", "PUBHLTH", "HRESCH", "BIORCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "DSRCH",
    "POARCH", "TRANSRCH",
})  # fmt: skip
"""Codes of v3-ActReason for marketing, payment, public health and research: who denies these does not mean care."""
IN_FORCE: Final = frozenset({"active", "proposed"})
"""Statuses in which an opposition counts."""


def facts(reading: Reading) -> Iterator[Fact]:
    tree = reading.tree
    if "patient-privacy" not in codes(tree.get("scope"), SCOPE):
        return
    status, provision = tree.get("status"), tree.get("provision")
    provision = provision if isinstance(provision, Mapping) else {}
    numbers = count()
    if status == "active" and "information" in codes(tree.get("category"), vocabulary.CONSENT):
        during = period(provision.get("period"))
        if during is not None:
            for actor, _ in actors(reading, provision) or [(0, "")]:
                yield _fact(reading, next(numbers), actor, Relation.INFORMED, during)
        return
    if status in IN_FORCE:
        yield from _provision(reading, provision, numbers, status == "active")


def _provision(
    reading: Reading, provision: Mapping[str, Any], numbers: "count[int]", confirmed: bool
) -> Iterator[Fact]:
    if provision.get("type") == "deny":
        yield from _denials(reading, provision, numbers)
    elif provision.get("type") == "permit" and confirmed:
        yield from permits(reading, provision, numbers)
    for nested in provision.get("provision") or ():
        yield from _provision(reading, nested, numbers, confirmed)


def permits(reading: Reading, provision: Mapping[str, Any], numbers: "count[int]") -> Iterator[Fact]:
    """One fact for each actor whom a permission names; none when it is not followed."""
    during = period(provision.get("period"))
    if during is None or not_followed(provision):
        return
    classes, _ = classes_of(provision)
    for actor, type_ in actors(reading, provision):
        detail: dict[str, Any] = {"classes": classes} if classes else {}
        if type_ == "RelatedPerson":
            detail["holder"] = "related"
            if _by_the_person(reading):
                detail["agreed"] = True
        yield _fact(reading, next(numbers), actor, Relation.CONSENT, during, detail)


def not_followed(provision: Mapping[str, Any]) -> list[str]:
    """The elements by which a permission limits itself in a way that the rules cannot follow: it gives nothing."""
    found = [name for name in ("class", "data", "dataPeriod") if provision.get(name)]
    if _limits_codes(provision):
        found.append("code")
    if classes_of(provision)[1]:
        found.append("securityLabel")
    if named_purposes(provision) and not purposes_of(provision) & (_CARE | {Purpose.PATRQT}):
        found.append("purpose")
    return found


def _by_the_person(reading: Reading) -> bool:
    """Whether the Consent says that the person agreed themselves, beside whoever else."""
    verified = [
        one.get("verifiedWith") for one in reading.tree.get("verification") or () if one.get("verified") is True
    ]
    named_ = [reading.name(one, "Patient") for one in (*(reading.tree.get("performer") or ()), *verified)]
    return any(one is not None and one[1].patient == reading.key.patient for one in named_)


def _denials(reading: Reading, provision: Mapping[str, Any], numbers: "count[int]") -> Iterator[Fact]:
    # A period that cannot be read does not lift an opposition.
    during = period(provision.get("period")) or period(None)
    assert during is not None
    items = [
        key
        for data in provision.get("data") or ()
        if (key := item(reading, data.get("reference"))) is not None and key[0] == reading.key.patient
    ]
    if provision.get("data"):
        # What is masked stays so until it is withdrawn, as the class on its rows does: a period that was not over when
        # it was written neither delays it nor ends it.
        if during.end > reading.at:
            for _, kind, res in items:
                yield _fact(reading, next(numbers), res, Relation.MASK, ALWAYS, {"kind": kind})
        return
    purposes, (classes, unknown) = purposes_of(provision), classes_of(provision)
    if named_purposes(provision) and not purposes:
        return  # against research or marketing: not against care
    detail = {"classes": classes} if classes and not unknown else {}
    relation = Relation.EMERGENCY_OBJECTION if purposes and not purposes & _CARE else Relation.DENY
    for actor, _ in actors(reading, provision) or [(0, "")]:
        yield _fact(reading, next(numbers), actor, relation, during, detail)
        if Purpose.ETREAT in purposes and relation is Relation.DENY:
            yield _fact(reading, next(numbers), actor, Relation.EMERGENCY_OBJECTION, during)


def _fact(
    reading: Reading,
    ordinal: int,
    principal: int,
    relation: Relation,
    during: Interval,
    detail: Mapping[str, Any] | None = None,
) -> Fact:
    source = Source(reading.key.kind, reading.key.res)
    return Fact(principal, relation, during, detail=detail or {}, source=source, ordinal=ordinal)


def actors(reading: Reading, provision: Mapping[str, Any]) -> list[tuple[int, str]]:
    """(principal, type) of those named. Who is named and cannot be found here has no rights to take or give."""
    found = []
    for actor in provision.get("actor") or ():
        named_ = reading.name(actor.get("reference"), *STAFF, "Organization", "RelatedPerson")
        if named_ is not None:
            found.append((named_[1].res, named_[0]))
        else:
            found.append((NOBODY, ""))
    return found


NOBODY: Final = -1
"""A principal that no session has: an actor outside the territory."""


def item(reading: Reading, reference: object) -> tuple[int, int, int] | None:
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    found = reading.name(reference, text.partition("/")[0]) if isinstance(text, str) else None
    return tuple(found[1]) if found else None  # type: ignore[return-value]  # a Key is (patient, kind, res)


def _limits_codes(provision: Mapping[str, Any]) -> bool:
    """FR Core writes the action (`access`) in provision.code; any other code there limits what is meant."""
    return any(not list(codes(concept, _ACTION)) for concept in provision.get("code") or ())


def named_purposes(provision: Mapping[str, Any]) -> set[str]:
    given = provision.get("purpose")
    return {*codes(given, vocabulary.ACT_REASON), *codes(given, _ACT_REASON_OID)}


def purposes_of(provision: Mapping[str, Any]) -> set[Purpose]:
    return {purpose for code in named_purposes(provision) if (purpose := from_code(code)) is not None}


def classes_of(provision: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The names of the classes meant, and whether some label is not understood."""
    found, unknown = [], False
    for label in provision.get("securityLabel") or ():
        code = label.get("code", "")
        name = code if label.get("system") == vocabulary.DATA_CLASS else _SENSITIVITY.get(code, "")
        if label.get("system") not in (vocabulary.DATA_CLASS, _ACT_CODE) or not _is_class(name):
            unknown = True
        else:
            found.append(name)
    return sorted(set(found)), unknown


def _is_class(name: str) -> bool:
    try:
        return bool(named(name))
    except KeyError:
        return False
