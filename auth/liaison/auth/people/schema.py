"""The tables of how people get in, and in again: identity checks, first codes, recoveries, the sealed code; of what the data
protection officer is told; of what the directory says of people; and of visits that telephones deliver. They share the metadata of liaison.fhir.store.schema."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# The eight digits with which an aide chooses her first PIN.
first_code = Table(
    "first_code",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),  # Argon2id
    Column("tries", Integer, nullable=False, server_default="0"),
    moment("expires_at", nullable=False),
)

# Which patient or representative somebody of staff has seen with a document (people.identity_checks).
identity_check = Table(
    "identity_check",
    metadata,
    Column("identity_check", BigInteger, primary_key=True, autoincrement=False),
    Column("fhir_kind", SmallInteger, nullable=False),
    Column("fhir_patient", BigInteger, nullable=False),
    Column("fhir_res", BigInteger, nullable=False),
    Column("checked_by", BigInteger, nullable=False),  # the account of whoever saw it
    Column("document", Text, nullable=False),
    Column("seen_on", Date, nullable=False),
    moment("at", nullable=False, server_default=func.now()),
    Column("account", BigInteger),  # what was opened on it
)
Index("identity_check_by_person", identity_check.c.fhir_res)
Index("identity_check_by_account", identity_check.c.account, postgresql_where=identity_check.c.account.isnot(None))

# Who had lost every factor and was let in again, by whose word; the data protection officer signs each one off.
recovery = Table(
    "recovery",
    metadata,
    Column("recovery", BigInteger, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("asked_by", BigInteger, nullable=False),  # 0: at the console, with the sealed code
    moment("expires_at", nullable=False),
    Column("granted_by", BigInteger),
    moment("granted_at"),
    moment("read_at"),
)

# The code in the envelope of an installation that may have one administrator only.
sealed_code = Table(
    "sealed_code",
    metadata,
    Column("sealed_code", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    Column("code", Text, nullable=False),  # Argon2id
    Column("tries", Integer, nullable=False, server_default="0"),
    moment("made_at", nullable=False, server_default=func.now()),
)

# What the data protection officer is told of (people.notices). Numbers and codes only.
notice = Table(
    "notice",
    metadata,
    Column("notice", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("about", BigInteger, nullable=False),
    Column("patient", BigInteger, nullable=False, server_default="0"),
    Column("code", Text, nullable=False, server_default=""),
    moment("at", nullable=False, server_default=func.now()),
    moment("read_at"),
    # Of an emergency access: whose it is.
    Column("organization", BigInteger, nullable=False, server_default="0"),
    Column("person", BigInteger, nullable=False, server_default="0"),
)
Index("notice_unread", notice.c.kind, notice.c.about, postgresql_where=notice.c.read_at.is_(None))

# The professions that the directory states of someone: Practitioner.qualification (people.professions.derive).
known_profession = Table(
    "known_profession",
    metadata,
    Column("practitioner", BigInteger, primary_key=True, autoincrement=False),
    Column("profession", Text, primary_key=True),
)

# Practitioners and Organizations that are not active, or are deleted: their roles wait (access.directory.derive).
put_aside = Table(
    "put_aside",
    metadata,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, primary_key=True, autoincrement=False),
)

# Roles that are stated as active, and are not in held_role: those of whom the directory has put aside, and those in someone's
# place until the directory knows their holder to be of the profession of whom they act for (people.professions.settle).
awaiting_role = Table(
    "awaiting_role",
    metadata,
    Column("role", BigInteger, primary_key=True, autoincrement=False),
    Column("role_code", Text, primary_key=True),
)

# The keys that telephones seal finished visits to (people.visit_keys).
visit_key = Table(
    "visit_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the private key, under the territory key
    moment("made_at", nullable=False, server_default=func.now()),
)

# Who reads the reports of suspected abuse of a service (people.designated).
designated = Table(
    "designated",
    metadata,
    Column("organization", BigInteger, primary_key=True),
    Column("reference", Text, primary_key=True),  # their PractitionerRole
    moment("since", primary_key=True, server_default=func.now()),
    Column("name", Text, nullable=False),
    Column("manages", Boolean, nullable=False),  # the service's manager, whom a report must be able to avoid
    Column("named_by", BigInteger, nullable=False),  # the account
    moment("ended_at"),
)
Index(
    "designated_now",
    designated.c.organization,
    designated.c.reference,
    unique=True,
    postgresql_where=designated.c.ended_at.is_(None),
)

# Who has accepted in writing to read the alerts of a service, and when (people.alert_readers).
alert_reader = Table(
    "alert_reader",
    metadata,
    Column("alert_reader", BigInteger, primary_key=True, autoincrement=False),
    Column("organization", BigInteger, nullable=False),  # the service
    Column("reference", Text, nullable=False),  # their PractitionerRole
    Column("name", Text, nullable=False),
    Column("days", Text, nullable=False),  # '12345': Monday to Friday
    Column("begins", SmallInteger, nullable=False),  # minutes of the day in Paris
    Column("ends", SmallInteger, nullable=False),
    Column("deputy", Text, nullable=False, server_default=""),  # the PractitionerRole of who reads at other hours
    Column("accepted_on", Date, nullable=False),  # the day of the writing
    Column("recorded_by", BigInteger, nullable=False),  # the account
    moment("since", nullable=False, server_default=func.now()),
    moment("ended_at"),
    Column("channels", Text, nullable=False, server_default=""),  # alert_readers.CHANNELS, with commas between
    Column("addresses", LargeBinary),  # the e-mail and the mobile number that they gave, under the territory's key
)
Index("alert_reader_now", alert_reader.c.organization, postgresql_where=alert_reader.c.ended_at.is_(None))

# Whom the people of a service call, at which hours (people.service_numbers).
service_number = Table(
    "service_number",
    metadata,
    Column("service_number", BigInteger, primary_key=True, autoincrement=False),
    Column("organization", BigInteger, nullable=False),  # the service
    Column("name", Text, nullable=False),  # 'Astreinte'
    Column("phone", Text, nullable=False),
    Column("days", Text, nullable=False),  # as alert_reader.days
    Column("begins", SmallInteger, nullable=False),  # minutes of the day in Paris
    Column("ends", SmallInteger, nullable=False),  # not after `begins`: of the next day
    Column("recorded_by", BigInteger, nullable=False),  # the account
    moment("since", nullable=False, server_default=func.now()),
    moment("ended_at"),
)
Index("service_number_now", service_number.c.organization, postgresql_where=service_number.c.ended_at.is_(None))
# A look at a list that somebody keeps under a name (people.saved_views).
saved_view = Table(
    "saved_view",
    metadata,
    Column("saved_view", BigInteger, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # its name and its question, under the territory's key
)
Index("saved_view_by_account", saved_view.c.account)

# The forms of a home visit that a service has published (people.visit_forms).
visit_form = Table(
    "visit_form",
    metadata,
    Column("organization", BigInteger, primary_key=True, autoincrement=False),  # the service
    Column("model", Text, primary_key=True),  # the address of the model in the library
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),  # Questionnaire.url
    Column("content", Text, nullable=False),  # the Questionnaire
    Column("published_by", BigInteger, nullable=False),  # the account
    moment("published_at", nullable=False, server_default=func.now()),
)
Index("visit_form_address", visit_form.c.address, visit_form.c.version, unique=True)

# Each visit that a telephone has sent, once (people.sent_visits).
sent_visit = Table(
    "sent_visit",
    metadata,
    Column("visit", Uuid, primary_key=True),  # the number that the telephone gave it
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of what was sent
    Column("organization", BigInteger, nullable=False),  # the service that looks at it
    Column("patient", BigInteger, nullable=False),  # 0: whose it is could not be read
    Column("aide", BigInteger, nullable=False),  # the account of its author; 0: not known
    Column("brought_by", BigInteger, nullable=False),  # the account that was signed in when it came
    Column("phone", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # filed | checking | settled | protected
    Column("why", Text, nullable=False, server_default=""),  # sent_visits.WHY
    Column("sealed", LargeBinary),  # what was told, under the patient's key; null once it is in the record
    Column("settled_by", BigInteger),
    Column("settled", LargeBinary),  # the word of whoever settled it, under the same key
    moment("received_at", nullable=False, server_default=func.now()),
    moment("settled_at"),
)
Index(
    "sent_visit_waiting",
    sent_visit.c.organization,
    sent_visit.c.received_at,
    postgresql_where=sent_visit.c.state == "checking",
)
