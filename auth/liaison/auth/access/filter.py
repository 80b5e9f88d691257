"""The one predicate, as SQL text placed inside the engine's statements (contract.AccessFilter).

A row is visible when the union of the session's grants that apply to it covers every class of the row. What is asked of
the session (not ended, not expired, account and client in force) and of each grant (in force now) is asked of the
database's clock, in the statement that reads the row: nothing is cached, so that a right withdrawn is gone at the next
request, on every worker.

Each condition is one entry of CONJUNCTS, so that tests can drop each in turn and see it missed.
"""

from collections.abc import Mapping
from typing import Final

from liaison.auth.access import second_wall
from liaison.auth.access.classes import HIDING
from liaison.auth.caller import Caller
from liaison.fhir.store.contract import Row

CONJUNCTS: Final[Mapping[str, str]] = {
    # of the session
    "session": "s.session = {session}",
    "ended": "s.ended_at is null",
    "expired": "s.expires_at > statement_timestamp()",
    # EXISTS, not a join: the planner then goes by primary key instead of hashing whole tables for each row.
    "account": "(s.account is null or exists (select from account a where a.account = s.account and a.active"
    " and (a.not_before is null or a.not_before <= s.started_at)))",
    "client": "(s.client is null or exists (select from client c where c.client = s.client and c.active))",
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
_SESSION: Final = ("session", "ended", "expired", "account", "client")
_GRANT: Final = ("patient", "principal", "purpose", "begun", "not_over", "author", "service", "addressee")
_GRANT_OF_ANY_PATIENT: Final = ("principal", "purpose", "begun", "not_over")
_EVIDENCE: Final = "array[g.mask, g.write_mask, g.author, g.service, g.addressee, g.rule, g.relation, g.principal]"


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

    def _allowed(self, row: str) -> str:
        """The classes allowed: of the grants together, or all of them for a type that an internal principal reads."""
        return f"coalesce(bit_or(g.mask), 0) | coalesce(max(case when {row}.kind = any(s.kinds) then -1 end), 0)"

    def visible(self, row: str, session: str) -> str:
        """Boolean SQL: every class of the row is allowed by the union of the session's grants that apply to it."""
        return (
            f"({self._all(('classified',), row, session)} and {row}.classes & "
            f"(select {self._allowed(row)} {self._rights(row, session)}) = {row}.classes)"
        )

    def visible_directory(self, row: str, session: str) -> str:
        """Boolean SQL: the directory is open to every session in force."""
        return (
            f"({self._all(('classified',), row, session)} and exists"
            f" (select from access_session s where {self._all(_SESSION, row, session)}))"
        )

    def patients(self, session: str) -> str:
        """A subselect yielding (patient bigint), each once: those on whom the session has some grant in force now; for
        an internal principal, everyone."""
        return (
            "(select g.patient from access_session s join access_grant g on"
            f" {self._all(_GRANT_OF_ANY_PATIENT, 'g', session)}"
            f" where {self._all((*_SESSION, 'only_patient'), 'g', session)}"
            " union select p.patient from access_session s join patient p on p.state = 0"
            f" where s.kinds is not null and {self._all(_SESSION, 'p', session)})"
        )

    def evidence(self, row: str, session: str) -> str:
        """Scalar SQL of type bigint[]: one row of eight numbers for each applicable grant; NULL when there is none."""
        return f"(select array_agg({_EVIDENCE}) filter (where g.patient is not null) {self._rights(row, session)})"

    def decided(self, row: str, session: str) -> str:
        """`visible` and `evidence` in one look-up, for hot statements: the text of a FROM item to be cross-joined.

        Yields (allowed boolean, evidence bigint[]) for each row; keep the rows with `allowed`.
        """
        return (
            f"lateral (select {self._all(('classified',), row, session)} and {row}.classes & ({self._allowed(row)})"
            f" = {row}.classes as allowed, array_agg({_EVIDENCE}) filter (where g.patient is not null) as evidence"
            f" {self._rights(row, session)})"
        )

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
