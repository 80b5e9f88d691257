"""The patient of each resource to be written (design §5): one ownership path a type, no default 'visible'.

Types of no compartment (Medication, Binary…) get their patient from the resource of the same transaction that refers to
them. What has no patient by any rule is refused, and the refusal names the rule.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from liaison.fhir.definitions import Ownership, kind_of, ownership
from liaison.fhir.errors import FhirError, Unprocessable
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store.contract import Key

Resolved = Mapping[str, "Write | Key"]
"""What each text of a Reference names: a resource of the same unit, or one that is stored and visible."""

TextsOf = Callable[[Write], Iterable[str]]
"""What the references and links of a resource say, as they were sent."""

_PATIENT = kind_of("Patient")


def owner_problem(write: Write, rule: Ownership) -> FhirError:
    """The refusal of a resource whose patient cannot be found, naming the rule of its type."""
    if rule.rule == "never":
        text = f"{write.type_} is not stored. {rule.reason}"
    elif rule.named_at:
        text = (
            f"The patient of this {write.type_} cannot be found: {write.type_}.{rule.named_at} must refer to exactly one "
            f"{'resource of a ' if rule.through else ''}patient that exists."
        )
        if rule.otherwise == "by reference":
            text += f" Or send it in a transaction with the resource that refers to it. {rule.reason}".rstrip()
    else:
        text = (
            f"The patient of this {write.type_} cannot be found: send it in a transaction with the resource that refers "
            f"to it. {rule.reason}"
        )
    return write.problem(Unprocessable(text, f"{write.type_}.{rule.named_at}" if rule.named_at else write.type_))


def _named(write: Write, rule: Ownership, resolved: Resolved) -> Iterator[Write | Key]:
    assert write.tree is not None
    for reference in rule.references(write.tree):
        found = resolved.get(reference.get("reference", ""))
        if isinstance(found, Write):
            if rule.through or found.type_ == "Patient":
                yield found
        elif found is not None and (rule.through or found.kind == _PATIENT):
            yield found


def _from_path(write: Write, rule: Ownership, resolved: Resolved) -> int | None:
    """The one patient the path leads to. None: none yet. Raises when it leads to several."""
    patients: set[int] = set()
    for found in _named(write, rule, resolved):
        patient = found.patient if isinstance(found, Write | Key) else None
        if patient:
            patients.add(patient)
    if len(patients) > 1:
        raise write.problem(
            Unprocessable(
                f"{write.type_}.{rule.named_at} leads to {len(patients)} patients; a resource belongs to exactly one.",
                f"{write.type_}.{rule.named_at}",
            )
        )
    return patients.pop() if patients else None


def assign(writes: Sequence[Write], resolved: Resolved, texts_of: TextsOf) -> list[tuple[Write, FhirError]]:
    """Fills `patient` of each create whose patient is not known yet. Gives back those that have none, each with its
    refusal, which names the rule.

    New Patients must have theirs already. Order and circles do not matter: what is known spreads until nothing new is.
    """
    waiting = [write for write in writes if write.patient is None and write.interaction != "delete"]
    refused: list[tuple[Write, FhirError]] = []
    while waiting:
        claims = _claims(writes, resolved, texts_of) if any(_by_reference(write) for write in waiting) else {}
        left = []
        for write in waiting:
            try:
                if not _settle(write, resolved, claims):
                    left.append(write)
            except FhirError as error:
                refused.append((write, error))
        if len(left) == len(waiting):
            left = [write for write in left if not _last_resort(write)]
            if len(left) == len(waiting):
                return refused + [(write, owner_problem(write, ownership(write.type_))) for write in left]
        waiting = left
    return refused


def _by_reference(write: Write) -> bool:
    rule = ownership(write.type_)
    return "by reference" in (rule.rule, rule.otherwise)


def _settle(write: Write, resolved: Resolved, claims: Mapping[int, set[int]]) -> bool:
    rule = ownership(write.type_)
    if rule.rule == "directory":
        write.patient = 0
    elif rule.rule == "never":
        raise owner_problem(write, rule)
    else:
        found = _from_path(write, rule, resolved)
        if found is None and _by_reference(write):
            patients = claims.get(id(write), set())
            if len(patients) > 1:
                raise write.problem(
                    Unprocessable(
                        f"Resources of {len(patients)} patients refer to this {write.type_}; send one for each."
                    )
                )
            found = next(iter(patients), None)
        write.patient = found
    return write.patient is not None


def _last_resort(write: Write) -> bool:
    """A Schedule or Slot that no patient owns is of the directory, once nothing else can give it one."""
    if ownership(write.type_).otherwise == "directory":
        write.patient = 0
    return write.patient is not None


def _claims(writes: Sequence[Write], resolved: Resolved, texts_of: TextsOf) -> dict[int, set[int]]:
    """For each resource of the unit, the patients whose resources refer to it."""
    claims: dict[int, set[int]] = {}
    for write in writes:
        if write.patient:
            for text in texts_of(write):
                found = resolved.get(text)
                if isinstance(found, Write):
                    claims.setdefault(id(found), set()).add(write.patient)
    return claims


def require_same(write: Write, resolved: Resolved) -> None:
    """Raises Unprocessable when an update would carry the resource over to another patient, or to none."""
    rule = ownership(write.type_)
    if rule.rule in ("self", "directory"):
        return
    found = _from_path(write, rule, resolved)
    if found is None and (_by_reference(write) or (rule.otherwise == "directory" and write.patient == 0)):
        return
    if found is None:
        raise owner_problem(write, rule)
    if found != write.patient:
        path = f"{write.type_}.{rule.named_at}"
        raise write.problem(
            Unprocessable(f"This {write.type_} stays in the record it is in: {path} leads to another patient.", path)
        )
