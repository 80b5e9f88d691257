"""The one predicate, as SQL text placed inside the engine's statements (contract.AccessFilter).

A row is visible when the union of the session's grants that apply to it covers every class of the row. What is asked of
the session (not ended, not expired, account and client in force) and of each grant (in force now) is asked of the
database's clock, in the statement that reads the row: nothing is cached, so that a right withdrawn is gone at the next
request, on every worker.

Each condition is one entry of CONJUNCTS, so that tests can drop each in turn and see it missed.
"""

from collections.abc import Container, Mapping
from typing import Final

from liaison.auth.access import second_wall
from liaison.auth.access.classes import HIDING
from liaison.auth.access.roles import OFFICERS
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Row

CONJUNCTS: Final[Mapping[str, str]] = {
    # of the session
    "session": "s.session = {session}",
    "ended": "s.ended_at is null",
    "expired": "s.expires_at > statement_timestamp()",
    # Values, not a join, nor EXISTS, which the planner may answer from a hash of the whole table: they are found by
    # primary key. Of what is not there the value is null, which denies.
    "account": "(s.account is null or (select a.active and (a.not_before is null or a.not_before <= s.started_at)"
    " from account a where a.account = s.account))",
    "client": "(s.client is null or (select c.active from client c where c.client = s.client))",
    "only_patient": "(s.only_patient is null or s.only_patient = {row}.patient)",
    # of the grant
    "patient": "g.patient = {row}.patient",
    "principal": "g.principal = any(s.principals)",
    "purpose": "g.purpose = s.purpose",
    "begun": "g.valid_from <= statement_timestamp()",
    "not_over": "g.valid_to > statement_timestamp()",
    "author": "(g.author = 0 or g.author = {row}.author)",
    "service": "(g.service = 0 or g.service = {row}.service)",
    "addressee": "(g.addressee = 0 or g.addressee = {row}.addressee)",
    # of the row: never visible for want of classes
    "classified": "{row}.classes <> 0",
}

_HIDING: Final = int(HIDING)
_ABRIDGED: Final = frozenset({kind_of("Consent")})
"""Row 24: of consents who looks after accesses reads what they say, not the names; an unmask is asked for on the pages of accesses."""
_REVIEWS: Final = frozenset({kind_of("Task")})
"""Nobody looks into the review of their own access."""
_SESSION: Final = ("session", "ended", "expired", "account", "client")
_GRANT_OF_ANY_PATIENT: Final = ("principal", "purpose", "begun", "not_over")
_GRANT_ON_PATIENT: Final = ("patient", *_GRANT_OF_ANY_PATIENT)
_OWNERS: Final = ("author", "service", "addressee")
_GRANT: Final = (*_GRANT_ON_PATIENT, *_OWNERS)
_GRANTS: Final = (
    "array_agg(array[g.mask, g.write_mask, g.author, g.service, g.addressee, g.rule, g.relation, g.principal])"
)
_EVIDENCE: Final = f"({_GRANTS} filter (where g.patient is not null))::text"


class Filter:
    """`conjuncts` differ from CONJUNCTS only in tests that plant a fault."""

    def __init__(self, conjuncts: Mapping[str, str] = CONJUNCTS) -> None:
        self._conjuncts = conjuncts

    def _all(self, names: tuple[str, ...], row: str, session: str) -> str:
        return " and ".join(self._conjuncts[name].format(row=row, session=session) for name in names) or "true"

    def _rights(self, row: str, session: str) -> str:
        return (
            f"from access_session s left join access_grant g on {self._all(_GRANT, row, session)}"
            f" where {self._all((*_SESSION, 'only_patient'), row, session)}"
        )

    def visible(self, row: str, session: str) -> str:
        """Boolean SQL: every class of the row is allowed by the union of the session's grants that apply to it."""
        return (
            f"({self._all(('classified',), row, session)} and {row}.classes & "
            f"(select {_allowed(row)} {self._rights(row, session)}) = {row}.classes)"
        )

    def visible_directory(self, row: str, session: str) -> str:
        """Boolean SQL: the directory is open to every session in force."""
        return (
            f"({self._all(('classified',), row, session)} and exists"
            f" (select from access_session s where {self._all(_SESSION, row, session)}))"
        )

    def patients(self, session: str) -> str:
        """A subselect yielding (patient bigint), each once: those on whom the session has some grant in force now; for
        an internal principal, everyone whom it reaches."""
        return (
            "(select g.patient from access_session s join access_grant g on"
            f" {self._all(_GRANT_OF_ANY_PATIENT, 'g', session)}"
            f" where {self._all((*_SESSION, 'only_patient'), 'g', session)}"
            " union select p.patient from access_session s join patient p on p.state = 0"
            f" where s.kinds is not null and {self._all((*_SESSION, 'only_patient'), 'p', session)})"
        )

    def decided(self, row: str, session: str) -> str:
        """`visible` and its evidence in one look-up, for hot statements: the text of a FROM item to be cross-joined.

        Yields (allowed boolean, evidence text) for each row; keep the rows with `allowed`. The grants are united below the
        session, and what asks nothing of them stands beside it: each aggregate is set up anew for each statement, and
        setting up is most of what a read of one row pays.
        """
        of_kind = f"case when {row}.kind = any(s.kinds) then -1 else 0 end"
        united = f"select bit_or(g.mask) as mask, {_GRANTS}::text as evidence from access_grant g where {self._all(_GRANT, row, session)}"
        return (
            f"lateral (select {self._all(('classified',), row, session)} and {row}.classes & coalesce(held.mask, 0) = {row}.classes"
            f" as allowed, held.evidence from (select) always left join lateral (select coalesce(g.mask, 0) | {of_kind} as mask, g.evidence"
            f" from access_session s cross join lateral ({united}) g"
            f" where {self._all((*_SESSION, 'only_patient'), row, session)}) held on true)"
        )

    def held(self, patient: str, session: str) -> str:
        """A select: what the session is, beside each of its grants on this patient in force now."""
        return (
            f"select s.kinds, g.* from (select {patient} as patient) o cross join access_session s left join access_grant g"
            f" on {self._all(_GRANT_ON_PATIENT, 'o', session)}"
            f" where {self._all((*_SESSION, 'only_patient'), 'o', session)}"
        )

    def summed(self, held: str) -> str:
        """A select of one row, of the relation `held`: what the grants that ask for no owner allow together (mask), whether the session
        reads whole types (reads), and every owner that some grant asks for (owners)."""
        owners = ", ".join(f"g.{owner}" for owner in _OWNERS)
        return (
            f"select coalesce(bit_or(g.mask) filter (where {_of_any_owner('g')}), 0) as mask, bool_or(g.kinds is not null) as reads,"
            f" (select array_agg(o) from {held} g cross join lateral unnest(array[{owners}]) o where o <> 0) as owners from {held} g"
        )

    def covered(self, row: str, held: str, summed: str) -> str:
        """Boolean SQL: `visible`, of a row of the patient of whom the relation `held` holds the grants, and `summed` what they come to.

        Whoever holds nothing is told so before any row is looked at, so that a record that is not theirs takes as long as one that is not
        there. Most rows are allowed by the grants that ask for no owner. One that these do not cover is decided on all that apply
        where the session reads types, or some grant asks for an owner that the row has: any other is hidden, and costs next to
        nothing, so that no answer takes longer for the number of rows that it leaves out.
        """
        applies = self._all(_OWNERS, row, "")
        of_row = f"array[{', '.join(f'{row}.{owner}' for owner in _OWNERS)}]"
        return (
            f"((select s.mask <> 0 or s.reads or s.owners is not null from {summed} s) and {self._all(('classified',), row, '')}"
            f" and ({row}.classes & (select s.mask from {summed} s) = {row}.classes"
            f" or ((select s.reads from {summed} s) or {of_row} && (select s.owners from {summed} s)) and {row}.classes & "
            f"(select {_allowed(row, 'g', f' filter (where {applies})')} from {held} g) = {row}.classes))"
        )

    def united(self, session: str) -> str:
        """A select (patient, mask): of each patient the classes that the grants that ask for no owner allow together, in force
        now. What it covers is `visible`; what it does not may be so too, by grants that ask for one."""
        return (
            "select g.patient, bit_or(g.mask) as mask from access_session s join access_grant g on"
            f" {self._all(_GRANT_OF_ANY_PATIENT, 'g', session)} and {_of_any_owner('g')}"
            f" where {self._all((*_SESSION, 'only_patient'), 'g', session)} group by g.patient"
        )

    def evidence(self, held: str) -> str:
        """Scalar SQL of type text: the grants in the relation `held`; NULL when there is none."""
        return f"(select {_EVIDENCE} from {held} g)"

    def standing(self, session: str, patients: str) -> str:
        """A statement: the session, when it is in force, beside each of its grants on these patients (bigint[])."""
        return (
            "select s.role_code, s.practitioner, s.role, s.organization, s.client, s.principals, g.patient, g.mask,"
            " g.write_mask, g.author, g.service, g.addressee, g.rule, g.relation, g.principal from access_session s"
            f" left join access_grant g on g.patient = any({patients})"
            f" and {self._all((*_GRANT_OF_ANY_PATIENT, 'only_patient'), 'g', session)}"
            f" where {self._all(_SESSION, 's', session)}"
        )

    def second_wall(self, caller: Caller, row: Row, unpermuted: int) -> bool:
        return second_wall.allows(caller, row, unpermuted)

    def hides(self, unpermuted: int) -> bool:
        return bool(unpermuted & _HIDING)

    def abridged(self, caller: Caller) -> Container[int]:
        return _ABRIDGED if caller.role_code in OFFICERS else ()

    def besides_own(self, caller: Caller) -> tuple[Container[int], Key | None]:
        if caller.role_code not in OFFICERS or not caller.practitioner:
            return (), None
        return _REVIEWS, Key(0, kind_of("Practitioner"), caller.practitioner)


def _of_any_owner(grant: str) -> str:
    return " and ".join(f"{grant}.{owner} = 0" for owner in _OWNERS)


def _allowed(row: str, session: str = "s", applies: str = "") -> str:
    """The classes allowed: of the grants together, or all of them for a type that an internal principal reads."""
    of_kind = f"coalesce(max(case when {row}.kind = any({session}.kinds) then -1 end), 0)"
    return f"coalesce(bit_or(g.mask){applies}, 0) | {of_kind}"
