"""The predicate written again, over plain rows: what a session may see, read straight from the words of design §5.

Shares no code with liaison.auth.access.filter: no SQL, no bit tricks beyond set inclusion.
"""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Session:
    number: int
    principals: list[int]
    purpose: int
    expires: datetime
    started: datetime
    ended: datetime | None = None
    only_patient: int | None = None
    account: int | None = None
    client: int | None = None
    kinds: list[int] | None = None


@dataclass
class Grant:
    patient: int
    principal: int
    purpose: int
    classes: set[int]
    author: int
    service: int
    addressee: int
    start: datetime
    end: datetime


@dataclass
class Row:
    patient: int
    kind: int
    res: int
    classes: set[int]
    author: int
    service: int
    addressee: int


@dataclass
class World:
    now: datetime
    sessions: list[Session] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    accounts: dict[int, tuple[bool, datetime | None]] = field(default_factory=dict)  # active, not before
    clients: dict[int, bool] = field(default_factory=dict)

    def alive(self, session: Session) -> bool:
        if session.ended is not None or session.expires <= self.now:
            return False
        if session.account is not None:
            active, not_before = self.accounts.get(session.account, (False, None))
            if not active or (not_before is not None and session.started < not_before):
                return False
        return session.client is None or self.clients.get(session.client, False)

    def grants_of(self, session: Session, patient: int) -> list[Grant]:
        if not self.alive(session) or session.only_patient not in (None, patient):
            return []
        return [
            grant
            for grant in self.grants
            if grant.patient == patient
            and grant.principal in session.principals
            and grant.purpose == session.purpose
            and grant.start <= self.now < grant.end
        ]

    def applicable(self, session: Session, row: Row) -> list[Grant]:
        return [
            grant
            for grant in self.grants_of(session, row.patient)
            if (not grant.author or grant.author == row.author)
            and (not grant.service or grant.service == row.service)
            and (not grant.addressee or grant.addressee == row.addressee)
        ]

    def visible(self, session: Session, row: Row) -> bool:
        if not row.classes or not self.alive(session) or session.only_patient not in (None, row.patient):
            return False
        if session.kinds is not None and row.kind in session.kinds:
            return True
        allowed: set[int] = set()
        for grant in self.applicable(session, row):
            allowed |= grant.classes
        return row.classes <= allowed

    def patients(self, session: Session) -> set[int]:
        if session.kinds is not None and self.alive(session):
            return {row.patient for row in self.rows if session.only_patient in (None, row.patient)}
        return {grant.patient for grant in self.grants if grant in self.grants_of(session, grant.patient)}
