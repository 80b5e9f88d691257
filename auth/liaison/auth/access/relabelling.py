"""What opens a content to more people than it was open to: a label that is set or taken off, or a code that is another.

Classes before and after are compared, whatever made them. A content that some situation of the table reads after, and did not
read before, is opened by its author or by the attending doctor, or, where no author is known, by a doctor or by the software
of the structure that sent it (domain notes §2.5: « À savoir » is never derived from CLIN by itself; a label is lowered by those
allowed to). Who may write it may close it. Its author is who wrote the first version: nobody becomes it by an update.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from liaison.auth.access.classes import Class, bits, union
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.table import Table
from liaison.auth.access.writing import First, Refusal
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Labels
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey

_CONTENT: Final = union(("VITAL", "CLIN", "ETP", "SOC_ONLY", "PSY", "SENS", "MINOR", "NOTE3P", "PROT", "MASKED"))
"""Classes that close a content, one by one. Coordination is moved about freely; HELD is taken off by whoever tells a result."""


def check(
    ids: Ids,
    keys: Mapping[int, PatientKey],
    who: Standing,
    changes: Sequence[Change],
    first: Mapping[Key, First],
    tables: Sequence[Table],
) -> None:
    """Raises Refusal for a content that somebody else's update would open, by one of the tables by which grants are."""
    for change in changes:
        key = keys.get(change.key.patient)
        if key is None or change.before_row is None or change.tree is None or change.type_ == "Consent":
            continue  # a Consent has rules of its own: consent_writing
        before, after = classes_before(key, change), Class(change.labels.classes & ~NAMES_HIDDEN)
        lost = before & ~after
        if (
            lost & _CONTENT
            and any(_opens(one, before, after) for one in tables)
            and not _may_open(ids, key, who, change, first)
        ):
            raise Refusal(
                f"This opens what is {_words(lost & _CONTENT)} to more people ({_words(after)}): its author or the attending doctor"
                " does. Write what others should know as an entry of its own."
            )


def classes_before(key: PatientKey, change: Change) -> Class:
    """Of the version that this change follows."""
    assert change.before_row is not None
    return Class(key.unpermute(change.before_row.classes) & ~NAMES_HIDDEN)


def relabelled(keys: Mapping[int, PatientKey], changes: Sequence[Change]) -> dict[Key, tuple[int, int]]:
    """The classes before and after of each update that changes them, for the journal."""
    found = {}
    for change in changes:
        key = keys.get(change.key.patient)
        if key is not None and change.interaction == "update" and change.before_row is not None:
            before, after = classes_before(key, change), change.labels.classes & ~NAMES_HIDDEN
            if before != after:
                found[change.key] = (int(before), int(after))
    return found


def _opens(table: Table, before: Class, after: Class) -> bool:
    """Whether somebody, in some situation that the lines of the table tell apart, reads the one and not the other."""
    return any(not after & ~read and before & ~read for read in table.situations)


def _may_open(ids: Ids, key: PatientKey, who: Standing, change: Change, first: Mapping[Key, First]) -> bool:
    author = first.get(change.key, First(timedelta(0), 0)).author
    if author:
        me = Owners.of(key, who.signature).author
        return author == me or who.may_unmask(key, Owners())
    if who.practitioner:
        return who.may_unmask(key, Owners()) or (who.role_code in ROLES and ROLES[who.role_code].doctor)
    assert change.before_row is not None
    house = f"Organization/{ids.encode(Key(0, kind_of('Organization'), who.organization))}" if who.organization else ""
    return bool(house) and change.before_row.service == Owners.of(key, Labels(0, service=house)).service


def _words(classes: Class) -> str:
    return ", ".join(one.name or "" for one in bits(classes))
