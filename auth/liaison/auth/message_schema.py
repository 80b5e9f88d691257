"""The tables of liaison.services.messages. They share the metadata of liaison.fhir.store.schema, so that they are in a backup, and
a record that is forgotten is forgotten here."""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text, func

from liaison.auth.columns import moment
from liaison.fhir.store.schema import metadata

# Alerts that changed since they were last looked at: written in the transaction that changes the alert (messages.noticing).
alert_change = Table(
    "alert_change",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, primary_key=True, autoincrement=False),  # of the Task
    moment("changed_at", nullable=False, server_default=func.clock_timestamp()),
)
Index("alert_change_next", alert_change.c.changed_at)

# Whose plans are to be looked at for a death, or whose places for one that they gave up, since when: written in the transaction that
# says so (services.deaths.noting).
plan_to_end = Table(
    "plan_to_end",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    moment("noted_at", nullable=False, server_default=func.clock_timestamp()),
)

# What goes to one reader of an alert by one channel (messages.outbox). `due` is the alert's: one that becomes more urgent is told
# again. Of an Appointment, to the person themselves, it is the hour that they are told (messages.convoking).
alert_message = Table(
    "alert_message",
    metadata,
    Column("patient", BigInteger, primary_key=True, autoincrement=False),
    Column("res", BigInteger, primary_key=True, autoincrement=False),  # of the Task, or the Appointment
    Column("recipient", BigInteger, primary_key=True, autoincrement=False),  # of the PractitionerRole, 0 for the person
    Column("channel", Text, primary_key=True),  # mssante | email | sms
    moment("due", primary_key=True),
    Column("message", Text, nullable=False),  # its Message-ID, without the domain: random
    Column("state", Text, nullable=False, server_default="waiting"),  # outbox.STATES
    Column("why", Text, nullable=False, server_default=""),  # a word of our own, never the server's
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    moment("next_at", nullable=False, server_default=func.now()),
    moment("since", nullable=False, server_default=func.now()),
    moment("sent_at"),
    moment("read_at"),
    moment("replied_at"),
)
Index("alert_message_next", alert_message.c.next_at, postgresql_where=alert_message.c.state == "waiting")
Index("alert_message_named", alert_message.c.message)

# How far the operator's mailbox was read.
mailbox_place = Table(
    "mailbox_place",
    metadata,
    Column("mailbox", Text, primary_key=True),
    Column("validity", BigInteger, nullable=False),  # UIDVALIDITY (RFC 9051 §2.3.1.1)
    Column("uid", BigInteger, nullable=False),
)
