"""The tables of identities and rights, and with them those of the rules in force (access.schema), of the journal
(journal.schema), of getting in again and of what the directory says of people (people.schema), and of vendors' software
(vendors.schema), of unusual accesses (unusual.schema), of signals (signal_schema), and of messages (message_schema). They share the metadata of liaison.fhir.store.schema.

A *principal* is a bigint: the `res` of a Practitioner, PractitionerRole, Patient, RelatedPerson or Organization, or
the number of a client. A session acts for several at once (the person, the role at an organisation, the client).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

import liaison.auth.access.schema  # whoever wants all of our tables imports this module
import liaison.auth.journal.schema  # the same
import liaison.auth.message_schema  # the same
import liaison.auth.people.schema  # the same
import liaison.auth.retention.schema  # the same
import liaison.auth.signal_schema  # the same
import liaison.auth.unusual.schema  # the same
import liaison.auth.vendors.schema  # noqa: F401  # the same
from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# ---- rights -------------------------------------------------------------------------------------------------------

# The caller's rights are looked up through this row in every query, by the database's clock; nothing is cached.
access_session = Table(
    "access_session",
    metadata,
    Column("session", BigInteger, primary_key=True, autoincrement=False),  # random
    Column("principals", ARRAY(BigInteger), nullable=False),
    Column("purpose", SmallInteger, nullable=False),  # access.purposes: TREAT, ETREAT, COORD, PATRQT, HOPERAT
    Column("only_patient", BigInteger),  # a patient/ scope: nothing outside this patient
    Column("account", BigInteger),  # people.account, NULL for a system client
    Column("client", BigInteger),
    Column("practitioner", BigInteger),  # res of the Practitioner (or Patient / RelatedPerson) behind it
    Column("role", BigInteger),  # res of the PractitionerRole chosen at sign-in
    Column("organization", BigInteger),  # res of the Organization
    Column("role_code", Text, nullable=False),  # roles of domain.md §1.1: 'gp', 'nurse', 'home-aide', 'auditor'…
    Column("kinds", ARRAY(SmallInteger)),  # an internal principal (access.internal): the types it reads, and no others
    Column("scope", Text, nullable=False, server_default=""),
    Column("family", BigInteger),  # the authorization this session belongs to: they end together
    Column(
        "proven", Text, nullable=False, server_default=""
    ),  # who vouched for the person, and how far (Caller.proven)
    Column(
        "acts_for", BigInteger, nullable=False, server_default="0"
    ),  # res of the Practitioner acted for, at its start
    Column("subject", BigInteger),  # the session whose token was exchanged for this one's (RFC 8693): it falls with it
    moment("started_at", nullable=False, server_default=func.now()),
    moment("expires_at", nullable=False),
    moment("ended_at"),
)
Index("access_session_by_account", access_session.c.account, postgresql_where=access_session.c.ended_at.is_(None))
Index("access_session_by_client", access_session.c.client, postgresql_where=access_session.c.ended_at.is_(None))
Index("access_session_by_subject", access_session.c.subject, postgresql_where=access_session.c.subject.isnot(None))
Index("access_session_by_family", access_session.c.family, postgresql_where=access_session.c.family.isnot(None))

# Who holds which role, where and when: taken from each PractitionerRole in the transaction that writes it
# (people.roles.derive). Sign-in offers these, in force by the database's clock; a role that ends ends its sessions.
held_role = Table(
    "held_role",
    metadata,
    Column("role", BigInteger, primary_key=True, autoincrement=False),  # res of the PractitionerRole
    Column("practitioner", BigInteger, nullable=False),
    Column("organization", BigInteger, nullable=False, server_default="0"),
    Column("role_code", Text, primary_key=True),  # one PractitionerRole may state several: each is a choice
    Column("active", Boolean, nullable=False),
    # res of the PractitionerRole or Practitioner replaced, supervising, or answering for a secretary (ACTS_FOR).
    Column("acts_for", BigInteger, nullable=False, server_default="0"),
    moment("valid_from", nullable=False),
    moment("valid_to", nullable=False),
)
Index("held_role_by_practitioner", held_role.c.practitioner)
Index("held_role_by_organization", held_role.c.organization)
Index("held_role_by_acts_for", held_role.c.acts_for, postgresql_where=held_role.c.acts_for != 0)

# Organization.partOf: an opposition to a hospital holds in its units; a structure's facts are those of its services.
organization_part = Table(
    "organization_part",
    metadata,
    Column("organization", BigInteger, primary_key=True, autoincrement=False),
    Column("part_of", BigInteger, nullable=False),  # 0: of nothing
    Column("psychiatric", Boolean, nullable=False, server_default="false"),  # what is written there is PSY
)
Index("organization_part_by_whole", organization_part.c.part_of)

# A fact that links a principal to a patient, extracted from the resource that states it, in the same transaction.
relation = Table(
    "relation",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("principal", BigInteger, primary_key=True, autoincrement=False),
    Column("relation", SmallInteger, primary_key=True, autoincrement=False),  # access.relations
    Column("source_kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("source_res", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", SmallInteger, primary_key=True, autoincrement=False),
    Column("organization", BigInteger, nullable=False, server_default="0"),
    Column("detail", JSONB),  # basis, informed, classes of a consent…; codes only, never names
    moment("valid_from", nullable=False),
    moment("valid_to", nullable=False),
)
Index("relation_by_principal", relation.c.principal)

# Questions that start from an identity ($register, $join, emergency): counted, because they may say "known".
identity_attempt = Table(
    "identity_attempt",
    metadata,
    Column("asker", BigInteger, nullable=False),  # the person, or the client
    Column("answerable", BigInteger, nullable=False),  # whom they act for, or themselves
    Column("account", SmallInteger, nullable=False),  # access.asking_limits
    moment("at", nullable=False, server_default=func.clock_timestamp()),
    Column("found", Boolean, nullable=False),
)
Index("identity_attempt_by_asker", identity_attempt.c.asker, identity_attempt.c.account, identity_attempt.c.at)
Index(
    "identity_attempt_by_answerable",
    identity_attempt.c.answerable,
    identity_attempt.c.account,
    identity_attempt.c.at,
)

# What the decision table makes of relations, roles and denials. Rebuilt from them, the same rows come out.
access_grant = Table(
    "access_grant",
    metadata,
    Column("patient", BigInteger, nullable=False),
    Column("principal", BigInteger, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("mask", BigInteger, nullable=False),  # classes that may be read, permuted under the patient's key
    Column("write_mask", BigInteger, nullable=False),
    Column("author", BigInteger, nullable=False, server_default="0"),
    Column("service", BigInteger, nullable=False, server_default="0"),
    Column("addressee", BigInteger, nullable=False, server_default="0"),
    Column("rule", SmallInteger, nullable=False),  # row of the decision table
    Column("relation", SmallInteger, nullable=False),
    moment("valid_from", nullable=False),
    moment("valid_to", nullable=False),
)
Index("access_grant_find", access_grant.c.patient, access_grant.c.principal, access_grant.c.purpose)
Index("access_grant_by_principal", access_grant.c.principal, access_grant.c.purpose, access_grant.c.patient)

# ---- identities ---------------------------------------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("username", Text, nullable=False, unique=True),
    Column("password", Text),  # Argon2id
    Column("pin", Text),  # Argon2id, with an enrolled phone only
    Column("fhir_kind", SmallInteger, nullable=False),  # the fhirUser: Practitioner, Patient, RelatedPerson
    Column("fhir_patient", BigInteger, nullable=False, server_default="0"),
    Column("fhir_res", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("failures", Integer, nullable=False, server_default="0"),
    moment("locked_until"),
    Column("pin_failures", Integer, nullable=False, server_default="0"),  # of the PIN: neither locks the other
    moment("pin_locked_until"),
    moment("not_before"),  # tokens issued before this are dead
    moment("ends_at"),  # the end of a contract
)

client = Table(
    "client",
    metadata,
    Column("client", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # backend | app
    Column("name", Text, nullable=False),
    Column("jwks", JSONB),
    Column("jwks_uri", Text),  # where its keys are published, instead of jwks
    Column("algorithm", Text),  # RS384 | ES384, one per client
    Column("binding", Text, nullable=False, server_default=""),  # '' | dpop (RFC 9449) | mtls (RFC 8705)
    Column("certificate_subject", Text),  # RFC 4514: who its certificate must name, when it proves itself by one
    Column("exchanges", Boolean, nullable=False, server_default="false"),  # may exchange tokens (RFC 8693)
    # Only for the organisations of client_activation: a vendor's software, registered once.
    Column("by_activation", Boolean, nullable=False, server_default="false"),
    Column("registration", BigInteger),  # of one organisation's backend: the registration that its keys are of
    moment("review_due"),
    moment("ended_at"),
    Column("redirect_uris", JSONB, nullable=False, server_default="[]"),
    Column("scope", Text, nullable=False),
    Column("organization", BigInteger, nullable=False, server_default="0"),  # the owner of a system client
    Column("role_code", Text),  # the role and purpose registered for a system client
    Column("purpose", SmallInteger),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("launch_url", Text),  # where our pages open an app on a record (SMART EHR launch)
    Column("post_logout_redirect_uris", JSONB, nullable=False, server_default="[]"),
    Column("introspects", Boolean, nullable=False, server_default="false"),  # may ask about any token (RFC 7662)
)

Index("client_by_registration", client.c.registration, postgresql_where=client.c.registration.isnot(None))

authorization_code = Table(
    "authorization_code",
    metadata,
    Column("code", LargeBinary, primary_key=True),  # SHA-256: no secret is kept in clear
    Column("request", JSONB, nullable=False),
    Column("family", BigInteger, nullable=False),  # what falls when the code is used twice
    moment("expires_at", nullable=False),
    moment("used_at"),
)
Index("authorization_code_by_family", authorization_code.c.family)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256
    Column("family", BigInteger, nullable=False),
    Column("request", JSONB, nullable=False),
    moment("expires_at", nullable=False),
    moment("used_at"),
    moment("revoked_at"),
)
Index("refresh_token_by_family", refresh_token.c.family)

# What an app is opened on from our pages (SMART EHR launch): for one person and one app, once.
launch = Table(
    "launch",
    metadata,
    Column("handle", LargeBinary, primary_key=True),  # SHA-256
    Column("client", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("context", JSONB, nullable=False),  # ids and codes only
    moment("expires_at", nullable=False),
    moment("used_at"),
)

# Authorization requests that were pushed (RFC 9126). Sealed under the territory key: they may name a launch.
pushed_request = Table(
    "pushed_request",
    metadata,
    Column("reference", LargeBinary, primary_key=True),  # SHA-256 of the request_uri
    Column("client", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("expires_at", nullable=False),
    moment("used_at"),
)

# Keys that sign what we issue. The private half is sealed under the territory key; the newest one signs.
signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),  # ES256 for access tokens, RS256 for id_tokens (SMART asks it)
    Column("public", JSONB, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("retired_at"),  # no longer published
)

assertion_seen = Table(
    "assertion_seen",
    metadata,
    Column("client", BigInteger, primary_key=True, autoincrement=False),
    Column("jti", LargeBinary, primary_key=True),  # SHA-256
    moment("expires_at", nullable=False),
)

# How much was asked lately, by address or client (oauth2.rate_limits): worth nothing after a crash, so not logged.
rate_limit = Table(
    "rate_limit",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # SHA-256 of what is limited
    moment("full_at", nullable=False),  # when all of what is allowed at once is allowed again
    prefixes=["UNLOGGED"],
)

browser_session = Table(
    "browser_session",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("account", BigInteger, nullable=False),
    Column("session", BigInteger),  # access_session once a role is chosen
    Column("csrf", LargeBinary, nullable=False),
    moment("started_at", nullable=False, server_default=func.now()),
    moment("expires_at", nullable=False),
    Column("factors", SmallInteger, nullable=False, server_default="1"),  # how many were proven at started_at
    moment("seen_at", nullable=False, server_default=func.now()),  # by the minute: it ends when left alone
    # Of a sign-in through Pro Santé Connect:
    Column("attested", JSONB),  # the roles that the exercices stand behind; null: signed in here
    Column("exercices", LargeBinary),  # what was stated of them, under the territory key, to be shown
    Column("provider_session", LargeBinary),  # SHA-256 of its `sid`
    Column("provider_token", LargeBinary),  # the id_token under the territory key, to sign out there
    # For its owner to know it by:
    Column("device", Text, nullable=False, server_default=""),  # people.devices
    Column("phone", BigInteger),  # the enrolled phone it was opened on
    moment("opened_at", nullable=False, server_default=func.now()),  # started_at moves with each proof
)
Index(
    "browser_session_by_provider",
    browser_session.c.provider_session,
    postgresql_where=browser_session.c.provider_session.is_not(None),
)
Index("browser_session_by_account", browser_session.c.account)

# Forms of pages that were sent, so that a second sending of one leads where the first did: see people.sent_forms.
sent_form = Table(
    "sent_form",
    metadata,
    Column("form", LargeBinary, primary_key=True),  # SHA-256 of who sent what and where
    Column("sealed", LargeBinary),  # where it led, under the territory key; null while the first sending is under way
    moment("taken_at", nullable=False, server_default=func.now()),
)

# What was typed in a form whose session had ended: see people.kept_forms.
kept_form = Table(
    "kept_form",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256
    Column("account", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # under the territory key
    moment("kept_at", nullable=False, server_default=func.now()),
)
Index("kept_form_by_account", kept_form.c.account)

# A phone that a manager has enrolled for her service: the first factor of those who sign in with a PIN.
phone = Table(
    "phone",
    metadata,
    Column("phone", BigInteger, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, nullable=False, unique=True),  # SHA-256 of the device's cookie
    Column("organization", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    moment("enrolled_at", nullable=False, server_default=func.now()),
    Column("enrolled_by", BigInteger),  # the account; null: enrolled before this was kept
)

# The authenticator app of an account (RFC 6238), its second factor.
totp = Table(
    "totp",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),  # the secret, under the territory key
    Column("last_step", BigInteger, nullable=False, server_default="0"),  # a code works once
    Column("failures", Integer, nullable=False, server_default="0"),
    moment("locked_until"),
    moment("confirmed_at"),  # null: proposed, and counts for nothing
)

# Passkeys (WebAuthn): the public half only.
passkey = Table(
    "passkey",
    metadata,
    Column("credential", LargeBinary, primary_key=True),
    Column("account", BigInteger, nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("used_at"),
)
Index("passkey_by_account", passkey.c.account)

# What a browser is in the middle of, between two pages of one sign-in.
ceremony = Table(
    "ceremony",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("kind", Text, nullable=False),
    Column("account", BigInteger, nullable=False),  # 0: not known yet
    moment("expires_at", nullable=False),
)

# What this database is, sandbox or production, said once: the kind is sealed under the territory's key, so that changing
# the row does not change what it is.
installation = Table(
    "installation",
    metadata,
    Column("installation", SmallInteger, primary_key=True, autoincrement=False),  # always 0
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
)

# One-time links by which the owner of a new account chooses a password.
first_access = Table(
    "first_access",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256
    Column("account", BigInteger, nullable=False),
    moment("expires_at", nullable=False),
)
