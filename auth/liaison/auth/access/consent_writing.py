"""What a Consent asks of who writes it, besides the right to write: oppositions last, permissions are the patient's own.

* An opposition, an objection to emergency access or a masking is never weakened by a plain update (L.1110-4 IV,
  L.1111-17 I, R.1111-49). It is withdrawn by the person or who represents them; or by a health or social professional
  who records that the person wishes it, with a verification newer than the opposition, and whom it does not oppose.
* An opposition or masking recorded by anyone but a health or social professional, the person or who represents them is
  provisional (`proposed`): it counts all the same, and one of those confirms it (`active`).
* A permission that gives rights is given by the person or who represents them, whoever records it.

Internal principals keep to their own rules: they load what was decided elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from liaison.auth.access import structures
from liaison.auth.access.classes import Class, union
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.facts.consent import IN_FORCE
from liaison.auth.access.facts.consent_terms import (
    SKEW,
    dated_masking,
    not_to_be_given,
    unbound_denials,
    untimely_denials,
)
from liaison.auth.access.facts.reading import STAFF
from liaison.auth.access.relation_rows import stated_by
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES, confirms
from liaison.auth.access.standing import Standing
from liaison.auth.access.world import Fact
from liaison.auth.access.writing import First, Refusal
from liaison.fhir.errors import Issue, Unprocessable
from liaison.fhir.model.dates import span
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.ids import Ids

_OPPOSED: Final = frozenset({Relation.DENY, Relation.EMERGENCY_OBJECTION, Relation.MASK})
_WITHDRAWN: Final = frozenset({"inactive", "rejected", "entered-in-error"})
_RECORDING: Final = frozenset({"health", "psychologist", "social", "coordination"})
_NOT_RECORDING: Final = frozenset({"home-aide"})
_NEEDED: Final = (
    "An opposition is not weakened by an update. It is withdrawn (status inactive, with a dateTime) by the patient or"
    " their representative, or by a health or social professional whom it does not oppose and who adds a verification:"
    " verified true, verifiedWith the patient or their representative, verificationDate newer than the opposition."
)


_UNBOUND: Final = {
    "actor": "An opposition names whom it stops by a literal reference: Practitioner, PractitionerRole, Organization or"
    " RelatedPerson. As it is, it would stop nobody.",
    "data": "A masking names an item of this record by a literal reference. As it is, it would hide nothing.",
    "purpose": "An opposition names what it is against by codes of v3-ActReason: TREAT, CAREMGT, ETREAT, or HRESCH, HMARKT and the"
    " like; or it names none and is against all care. As it is, it would stop nobody.",
    "start": "An opposition is in force at once: its period has no start to come. As it is, it would stop nobody today.",
    "end": "The period of this opposition, or of this masking, is over. As it is, it would stop nobody.",
    "securityLabel": "No permission opens this: a report of abuse (PROT) is its author's and of those whom it designates, what is"
    " masked (MASKED) its author's and the attending doctor's, the traces (AUD) the auditors'.",
    "type": "A rule says whether it denies or permits what it names. As it is, it would stop nobody.",
    "category": "What records that the person was informed denies nothing: an opposition is a Consent of its own. As it is, it"
    " would stop nobody.",
    "period": "A masking is in force from when it is written until it is withdrawn: it has no dates to come.",
}


async def check(
    connection: asyncpg.Connection, ids: Ids, who: Standing, changes: Sequence[Change], first: Mapping[Key, First]
) -> None:
    """Raises Refusal for an opposition that would be weakened, Unprocessable for a permission that is not the patient's."""
    written = [change for change in changes if change.type_ == "Consent" and change.tree is not None]
    if who.internal is None or who.internal.name == "identity":
        for change in written:
            _check_binds(Reading(change.tree or {}, change.key, ids.decode, Class(change.labels.classes)), change)
    if who.internal is not None or not written:
        return
    now: datetime = await connection.fetchval("select clock_timestamp()")
    stated = await stated_by(connection, [change.key for change in written if change.before_row is not None])
    representatives = await _representatives(connection, {change.key.patient for change in written})
    for change in written:
        assert change.tree is not None
        reading = Reading(change.tree, change.key, ids.decode, Class(change.labels.classes))
        after = facts_of("Consent", reading)
        _check_confirmed(who, change, after)
        givers = _Givers(reading, representatives.get(change.key.patient, frozenset()))
        lost = weakened(stated.get(change.key, ()), after, now)
        if lost:
            recorded = now - (first[change.key].age if change.key in first else timedelta(0))
            await _check_withdrawal(connection, who, change, givers, lost, recorded, now)
        if _is_new(reading, change):
            _refuse([*untimely_denials(reading, now), *not_to_be_given(reading)])
        if any(fact.relation is Relation.CONSENT for fact in after):
            givers.check(who)


def _check_confirmed(who: Standing, change: Change, after: Sequence[Fact]) -> None:
    """Raises Refusal for an opposition that would be in force for good by the word of a role that does not confirm."""
    if (change.tree or {}).get("status") != "active" or (change.before or {}).get("status") == "active":
        return
    may = confirms(who.role_code) or who.role_code in ("patient", "guardian")
    if not may and any(fact.relation in _OPPOSED for fact in after):
        raise Refusal(
            "What your role records of an opposition is provisional, and in force at once (status proposed). A health or"
            " social professional, or the person, confirms it (status active)."
        )


def _check_binds(reading: Reading, change: Change) -> None:
    """Raises Unprocessable for an opposition that would stop nobody, or a masking that would hide nothing, or
    end by itself: whoever recorded it would believe the person's wish in force."""
    if _is_new(reading, change):
        _refuse([*unbound_denials(reading), *dated_masking(reading)])


def _is_new(reading: Reading, change: Change) -> bool:
    """Whether the rules of this Consent are written now. One that stands already, as an import brought it, may stay."""
    before = change.before or {}
    return before.get("status") not in IN_FORCE or before.get("provision") != reading.tree.get("provision")


def _refuse(places: Iterable[tuple[str, ...]]) -> None:
    issues = [Issue("not-supported", _UNBOUND[place[-1]], ".".join(place)) for place in places]
    if issues:
        raise Unprocessable(issues=issues)


def weakened(before: Iterable[Fact], after: Sequence[Fact], now: datetime) -> list[Fact]:
    """The oppositions of `before`, in force or to come, that nothing in `after` states as widely and for as long."""
    return [
        fact
        for fact in before
        if fact.relation in _OPPOSED and fact.during.end > now and not any(_keeps(new, fact, now) for new in after)
    ]


def _keeps(new: Fact, old: Fact, now: datetime) -> bool:
    return (
        (new.principal, new.relation, new.detail.get("kind")) == (old.principal, old.relation, old.detail.get("kind"))
        and new.during.start <= max(old.during.start, now)
        and new.during.end >= old.during.end
        and _as_wide(new.detail.get("classes"), old.detail.get("classes"))
    )


def _as_wide(new: Sequence[str] | None, old: Sequence[str] | None) -> bool:
    """No classes named means all."""
    return not new or (bool(old) and not union(old or ()) & ~union(new))


async def _check_withdrawal(
    connection: asyncpg.Connection,
    who: Standing,
    change: Change,
    givers: "_Givers",
    lost: Sequence[Fact],
    recorded: datetime,
    now: datetime,
) -> None:
    tree: Mapping[str, Any] = change.tree or {}
    if tree.get("status") not in _WITHDRAWN or not tree.get("dateTime"):
        raise Refusal(_NEEDED)
    if who.role_code == "patient":
        return
    named = {fact.principal for fact in lost if fact.relation is not Relation.MASK} - {0}
    if named & await structures.everything_of(connection, who):
        raise Refusal("An opposition is not withdrawn by the person or the service that it opposes.")
    if who.role_code == "guardian":
        return
    role = ROLES.get(who.role_code)
    if not who.practitioner or role is None or role.category not in _RECORDING or role.code in _NOT_RECORDING:
        raise Refusal(_NEEDED)
    before = change.before or {}
    stated = span(before["dateTime"]) if isinstance(before.get("dateTime"), str) else None
    since = max(recorded, stated[0]) if stated else recorded
    known = before.get("verification") or ()
    new = [one for one in tree.get("verification") or () if one not in known]
    if not any(_is_newer(one, since, now) and givers.may_give(one.get("verifiedWith")) for one in new):
        raise Refusal(_NEEDED)


def _is_newer(verification: Mapping[str, Any], since: datetime, now: datetime) -> bool:
    """A date to the day at least, of which some moment is after `since`, and which has begun."""
    text = verification.get("verificationDate")
    when = span(text) if isinstance(text, str) and len(text) >= len("2026-01-01") else None
    return verification.get("verified") is True and when is not None and when[1] > since and when[0] <= now + SKEW


async def _representatives(connection: asyncpg.Connection, patients: set[int]) -> dict[int, frozenset[int]]:
    rows = await connection.fetch(
        "select patient, array_agg(principal) from relation where patient = any($1::bigint[]) and relation = $2"
        " and valid_from <= now() and valid_to > now() group by patient",
        sorted(patients),
        int(Relation.REPRESENTED),
    )
    return {patient: frozenset(principals) for patient, principals in rows}


class _Givers:
    """Who speaks for the patient of one Consent."""

    def __init__(self, reading: Reading, representatives: frozenset[int]) -> None:
        self._reading = reading
        self._representatives = representatives

    def check(self, who: Standing) -> None:
        """Raises Unprocessable when those who give the permission are not the patient or their representative, or when
        whoever records it does not say who gave it: staff would open what they may not even read."""
        performers = self._reading.tree.get("performer") or ()
        named = any(self.may_give(one) for one in performers)
        told = not performers and (who.role_code in ("patient", "guardian") or self._verified())
        if any(self._is_foreign(one) for one in performers) or not (named or told):
            raise Unprocessable(
                "A permission is given by the patient of the Consent or by their representative, who is named here or in a"
                " verification; staff may be named beside them, other people may not.",
                "Consent.performer",
            )
        if any(self._is_foreign(one.get("verifiedWith")) for one in self._reading.tree.get("verification") or ()):
            raise Unprocessable(
                "A permission is verified with the patient of the Consent or a person related to them.",
                "Consent.verification.verifiedWith",
            )

    def _verified(self) -> bool:
        return any(
            one.get("verified") is True and self.may_give(one.get("verifiedWith"))
            for one in self._reading.tree.get("verification") or ()
        )

    def may_give(self, reference: object) -> bool:
        found = self._reading.name(reference, "Patient", "RelatedPerson")
        if found is None or found[1].patient != self._reading.key.patient:
            return False
        return found[0] == "Patient" or found[1].res in self._representatives

    def _is_foreign(self, reference: object) -> bool:
        """Whether it names a person who is neither staff nor of this patient; unclear counts as foreign."""
        if not isinstance(reference, Mapping):
            return False
        if reference.get("reference") is None:
            return reference.get("type") in ("Patient", "RelatedPerson")
        if self._reading.name(reference, *STAFF, "Organization") is not None:
            return False
        found = self._reading.name(reference, "Patient", "RelatedPerson")
        return found is None or found[1].patient != self._reading.key.patient
