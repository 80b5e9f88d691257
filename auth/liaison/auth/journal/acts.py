"""What was done, of an entry that neither reads nor writes a resource: a closed list of acts, each with a stable code.

An entry keeps its act in `detail` ("act"); a right that is changed over FHIR names it in its reason. What of it is shown, to
whom: journal.told.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from liaison.auth.journal.entry import Event


class Act(StrEnum):
    """The values are stored: never reused, never renamed. `SAID` has each in English, the desk in French."""

    # accounts, and the ways into them
    FIRST_ADMINISTRATOR = "first administrator"
    ACCOUNT_ADDED = "account added"
    ACCOUNT_ELSEWHERE = "account opened by Pro Santé Connect"
    INVITED = "invite"
    SUSPENDED = "suspend"
    RESUMED = "resume"
    LINK = "link"
    CODE = "code"
    ENDED = "end"
    END_MOVED = "change of end"
    RECOVERY_ASKED = "ask for recovery"
    RECOVERY_GRANTED = "grant recovery"
    RECOVERED = "recover"
    RECOVERY_READ = "recovery read"
    ENVELOPE_SEALED = "seal"
    FIRST_PIN = "first PIN"
    PASSWORD = "password by one-time link"  # noqa: S105 (the name of an act)
    APP_ADDED = "authenticator app added"
    APP_REMOVED = "authenticator app removed"
    PASSKEY_ADDED = "passkey added"
    PASSKEY_REMOVED = "passkey removed"
    IDENTITY_CHECKED = "identity check"
    # software and telephones
    CLIENT_ADDED = "client add"
    CLIENT_KEYS = "client keys"
    CLIENT_REVIEWED = "client review"
    CLIENT_SUSPENDED = "client suspend"
    CLIENT_RESUMED = "client resume"
    CLIENT_ENDED = "client end"
    CLIENT_ASKED = "client request"
    CLIENT_REPORT = "client conformance"
    CLIENT_ON = "client activate"
    CLIENT_OFF = "client deactivate"
    CLIENT_APPROVED = "client approve"
    CLIENT_REFUSED = "client refuse"
    APPLICATION_WITHDRAWN = "application withdrawn"
    PHONE_ENROLLED = "phone enrol"
    PHONE_ENDED = "phone end"
    # who may see what
    MANDATE = "mandate over the journal"
    MANDATE_ENDED = "end of a mandate over the journal"
    RULES_ADOPTED = "rules adopt"
    RULES_WITHDRAWN = "rules withdraw"
    RIGHTS_COMPUTED = "rights rebuild"
    DESIGNATED = "reader of reports named"
    TAKEN_OFF = "reader of reports taken off"
    ALERT_READER = "reader of alerts named"
    ALERT_READER_ENDED = "reader of alerts ended"
    NOTICE_READ = "notice read"
    REGISTER = "register"
    JOIN = "join"
    OPPOSITION = "opposition"
    OPPOSITION_WITHDRAWN = "opposition withdrawn"
    ATTENDING_DOCTOR = "attending doctor"
    CALL = "call to the platform"
    ARCHIVED = "archive"
    REOPENED = "reopen"
    # whose record it is
    IDENTIFIED = "identify"
    MERGED = "merge"
    UNMERGED = "unmerge"
    TOLD_APART = "tell-apart"
    # keys, settings, what is kept
    SIGNING_KEYS = "keys rotate signing"
    JOURNAL_KEY = "keys rotate journal"
    VISIT_KEY = "keys rotate visits"
    ENVELOPES = "keys envelopes"
    MONTHS_DESTROYED = "destroy"
    SETTINGS = "settings"
    PROTOCOL_PUBLISHED = "published"
    SIGNAL_ADOPTED = "protocol adopt"
    SIGNAL_WITHDRAWN = "protocol withdraw"
    UNUSUAL_RULE = "unusual rule"
    UNUSUAL_NOTICE = "notice to staff about unusual accesses"
    HELD = "hold"
    LIFTED = "lift"
    # the journal, its desk and the reviews
    MANY_UNUSUAL = "unusual accesses"
    UNUSUAL = "unusual access"
    UNUSUAL_REVIEWED = "review of an unusual access"
    UNUSUAL_ANSWERED = "answer about an unusual access"
    UNUSUAL_TRIED = "unusual rule tried"
    CASES = "cases"
    CASE = "case"
    CASE_STEP = "step of a case"
    CASE_SHEET = "sheet of a case"
    CASE_LETTER = "letter of a case"
    REVIEW_SAVED = "review saved"
    REVIEW_SIGNED = "review signed"
    REVIEW_SHEET = "sheet of a review"
    QUESTIONED = "access questioned"
    ANSWERED = "question answered"
    READ_WHOLE = "question read whole"
    UNMASKED = "unmask"
    VERIFIED = "journal verified"
    PROVEN = "journal prove"
    JOURNAL_EXPORTED = "journal export"
    # work of the service
    UNUSUAL_SEARCHED = "unusual accesses searched"
    RECORDS_GRANTED = "rights of all records"
    RELABELLED = "data classes"
    INDEXED = "reindex"
    MEASURED = "measure"
    VISIT_WAITS = "visit waits"
    VISITS_EXPORTED = "visits export"
    MESSAGE = "message"
    CONVOCATION = "convocation"
    CONVOKED = "convocation sent"
    NUMBER = "service number"
    PLANNED = "retention plan"
    HOLDS = "retention holds"
    PAPERS = "dpo papers"
    GENERATED = "journal generate"
    # what the event itself says, where nothing more is known of it
    SIGNED_IN = "sign in"
    SIGNED_OUT = "sign out"
    TOKEN = "token"  # noqa: S105 (the name of an act)
    REFUSED_CALLS = "refused calls"
    RIGHTS = "rights changed"
    EMERGENCY = "emergency access"
    EXPORTED = "export"
    IMPORTED = "import"
    JOB = "work of the service"
    JOURNAL_READ = "journal read"
    KEYS = "keys"
    CONFIGURATION = "configuration"
    BACKUP = "backup"
    RESTORED = "restore"
    HOLD = "legal hold"
    DESTROYED = "retention apply"

    @property
    def code(self) -> str:
        """As AuditEvent says it, in `entity.name`."""
        return self.value.replace(" ", "-").replace("é", "e").lower()


SAID: Final[Mapping[Act, str]] = {
    Act.FIRST_ADMINISTRATOR: "Account of the first administrator opened",
    Act.ACCOUNT_ADDED: "Account opened",
    Act.ACCOUNT_ELSEWHERE: "Account opened at the first sign-in by Pro Santé Connect",
    Act.INVITED: "Account opened, with a one-time link",
    Act.SUSPENDED: "Account suspended",
    Act.RESUMED: "Account in force again",
    Act.LINK: "New one-time link for an account",
    Act.CODE: "New first code for an account",
    Act.ENDED: "Account ended",
    Act.END_MOVED: "Last day of an account changed",
    Act.RECOVERY_ASKED: "New way into an account asked for",
    Act.RECOVERY_GRANTED: "New way into an account granted",
    Act.RECOVERED: "New way into an account, at the console",
    Act.RECOVERY_READ: "Restored access looked at",
    Act.ENVELOPE_SEALED: "New code of the envelope of the lone administrator",
    Act.FIRST_PIN: "First PIN chosen",
    Act.PASSWORD: "Password chosen by a one-time link",
    Act.APP_ADDED: "Authenticator app added",
    Act.APP_REMOVED: "Authenticator app removed",
    Act.PASSKEY_ADDED: "Passkey added",
    Act.PASSKEY_REMOVED: "Passkey removed",
    Act.IDENTITY_CHECKED: "Identity document seen, for access to a record online",
    Act.CLIENT_ADDED: "Software registered",
    Act.CLIENT_KEYS: "Keys of software replaced",
    Act.CLIENT_REVIEWED: "Registration of software reviewed",
    Act.CLIENT_SUSPENDED: "Software suspended",
    Act.CLIENT_RESUMED: "Software in force again",
    Act.CLIENT_ENDED: "Registration of software ended",
    Act.CLIENT_ASKED: "Request of a vendor taken in",
    Act.CLIENT_REPORT: "Conformance report of software taken in",
    Act.CLIENT_ON: "Software switched on for an organisation",
    Act.CLIENT_OFF: "Software switched off for an organisation",
    Act.CLIENT_APPROVED: "Request of a vendor approved",
    Act.CLIENT_REFUSED: "Request of a vendor refused",
    Act.APPLICATION_WITHDRAWN: "Access of an application withdrawn by its user",
    Act.PHONE_ENROLLED: "Telephone of the service enrolled",
    Act.PHONE_ENDED: "Telephone of the service ended",
    Act.MANDATE: "Mandate over the journal of the territory given",
    Act.MANDATE_ENDED: "Mandate over the journal of the territory ended",
    Act.RULES_ADOPTED: "Table of rules adopted",
    Act.RULES_WITHDRAWN: "Table of rules withdrawn",
    Act.RIGHTS_COMPUTED: "Rights computed again",
    Act.DESIGNATED: "Reader of protected reports named",
    Act.TAKEN_OFF: "Reader of protected reports taken off",
    Act.ALERT_READER: "Reader of alerts named",
    Act.ALERT_READER_ENDED: "Reader of alerts ended",
    Act.NOTICE_READ: "Notice marked as read",
    Act.REGISTER: "Person received",
    Act.JOIN: "Joined the team of a person",
    Act.OPPOSITION: "Opposition recorded",
    Act.OPPOSITION_WITHDRAWN: "Opposition withdrawn",
    Act.ATTENDING_DOCTOR: "Attending doctor declared",
    Act.CALL: "Call to the platform",
    Act.ARCHIVED: "Record archived",
    Act.REOPENED: "Archived record open again",
    Act.IDENTIFIED: "Identity verified",
    Act.MERGED: "Records merged",
    Act.UNMERGED: "Merge of records undone",
    Act.TOLD_APART: "Two persons, said after comparing",
    Act.SIGNING_KEYS: "Keys that sign tokens replaced",
    Act.JOURNAL_KEY: "Key that signs the journal replaced",
    Act.VISIT_KEY: "Key of the visits of telephones replaced",
    Act.ENVELOPES: "Codes of the key printed for envelopes",
    Act.MONTHS_DESTROYED: "Keys of months of the journal destroyed",
    Act.SETTINGS: "Settings of the service changed",
    Act.PROTOCOL_PUBLISHED: "Protocols published into the base",
    Act.SIGNAL_ADOPTED: "Signal of a protocol adopted",
    Act.SIGNAL_WITHDRAWN: "Signal of a protocol withdrawn",
    Act.UNUSUAL_RULE: "Rule of unusual accesses turned on or off",
    Act.UNUSUAL_NOTICE: "Date of the notice to staff entered",
    Act.HELD: "Legal hold placed on a record",
    Act.LIFTED: "Legal hold of a record lifted",
    Act.MANY_UNUSUAL: "List of unusual accesses read",
    Act.UNUSUAL: "Unusual access read",
    Act.UNUSUAL_REVIEWED: "Unusual access reviewed",
    Act.UNUSUAL_ANSWERED: "Unusual access explained by who made it",
    Act.UNUSUAL_TRIED: "Rule of unusual accesses tried on the past",
    Act.CASES: "List of cases read",
    Act.CASE: "Case read",
    Act.CASE_STEP: "Step of a case taken",
    Act.CASE_SHEET: "Sheet of a case printed",
    Act.CASE_LETTER: "Letter of a case to the person printed, with their name",
    Act.REVIEW_SAVED: "Review of the journal saved",
    Act.REVIEW_SIGNED: "Review of the journal signed",
    Act.REVIEW_SHEET: "Sheet of a named review printed",
    Act.QUESTIONED: "Access questioned by the person",
    Act.ANSWERED: "Question of the person answered",
    Act.READ_WHOLE: "Question read whole, with a reason",
    Act.UNMASKED: "Record looked up by identity, with a reason",
    Act.VERIFIED: "Journal verified",
    Act.PROVEN: "Proof of a line of the journal",
    Act.JOURNAL_EXPORTED: "Journal exported",
    Act.UNUSUAL_SEARCHED: "Unusual accesses searched for",
    Act.RECORDS_GRANTED: "Rights of every record computed",
    Act.RELABELLED: "Data classes of a record computed",
    Act.INDEXED: "Search index made",
    Act.MEASURED: "Indicator computed",
    Act.VISIT_WAITS: "Visit sent by a telephone kept aside",
    Act.VISITS_EXPORTED: "Visits exported",
    Act.MESSAGE: "Message sent to a reader of alerts",
    Act.CONVOCATION: "Convocation to a session asked for",
    Act.CONVOKED: "Convocation sent to the person, without content",
    Act.NUMBER: "Telephone number of the service changed",
    Act.PLANNED: "Plan of retention read",
    Act.HOLDS: "List of legal holds read",
    Act.PAPERS: "Papers of the data protection officer made",
    Act.GENERATED: "Entries generated for a measurement",
    Act.SIGNED_IN: "Sign-in",
    Act.SIGNED_OUT: "Sign-out",
    Act.TOKEN: "Access of software",
    Act.REFUSED_CALLS: "Calls refused",
    Act.RIGHTS: "Rights changed",
    Act.EMERGENCY: "Emergency access",
    Act.EXPORTED: "Export",
    Act.IMPORTED: "Import",
    Act.JOB: "Work of the service",
    Act.JOURNAL_READ: "Journal read",
    Act.KEYS: "Keys",
    Act.CONFIGURATION: "Configuration changed",
    Act.BACKUP: "Backup made",
    Act.RESTORED: "Backup restored",
    Act.HOLD: "Legal hold",
    Act.DESTROYED: "Record destroyed",
}

BY_REASON: Final = frozenset(
    {Act.REGISTER, Act.JOIN, Act.OPPOSITION, Act.OPPOSITION_WITHDRAWN, Act.ATTENDING_DOCTOR, Act.CALL}
    | {Act.IDENTIFIED, Act.MERGED, Act.UNMERGED, Act.TOLD_APART}
)
"""Those that an entry of RIGHTS names by the beginning of its reason."""

OF_EVENT: Final[Mapping[int, Act]] = {
    Event.SIGN_IN: Act.SIGNED_IN,
    Event.SIGN_OUT: Act.SIGNED_OUT,
    Event.TOKEN: Act.TOKEN,
    Event.REFUSED_CALLS: Act.REFUSED_CALLS,
    Event.RIGHTS: Act.RIGHTS,
    Event.EMERGENCY: Act.EMERGENCY,
    Event.EXPORT: Act.EXPORTED,
    Event.IMPORT: Act.IMPORTED,
    Event.JOB: Act.JOB,
    Event.JOURNAL_READ: Act.JOURNAL_READ,
    Event.KEYS: Act.KEYS,
    Event.CONFIGURATION: Act.CONFIGURATION,
    Event.BACKUP: Act.BACKUP,
    Event.RESTORE: Act.RESTORED,
    Event.HOLD: Act.HOLD,
    Event.DESTRUCTION: Act.DESTROYED,
}
"""What an entry says that names no act of its own: every event but those of FHIR, and of the chains of the journal itself."""
