"""The decision table (domain notes §2.5) written again as plain data, for the proofs: it shares nothing with
liaison.auth. One line is one decision: a row of the table, whose it is, what must hold, whose entries, read and write.

`needs` names one relationship and the conditions beside it. `read` 'named': what the Consent names, within `within`.
What no line gives is denied.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PARTS = {
    "ADM": "ADM FILE", "COORD": "COORD TEAM APPT SAFETY PROCHES ALERT",
    "CLIN": "CLIN MEDS ALLERGY LAB SYNTH CLINSOC STAY", "SOC": "SOC HOMEPLAN",
}  # fmt: skip
"""A legal class and the parts in which this project keeps it. 'coord' is the general part of COORD alone."""
CLASSES = frozenset(
    [
        "ADM",
        "FILE",
        "COORD",
        "TEAM",
        "APPT",
        "SAFETY",
        "PROCHES",
        "ALERT",
        "CLIN",
        "MEDS",
        "ALLERGY",
        "LAB",
        "SYNTH",
        "CLINSOC",
        "STAY",
        "SOC",
        "HOMEPLAN",
        "VITAL",
        "ETP",
        "PSY",
        "SENS",
        "MINOR",
        "NOTE3P",
        "PROT",
        "AUD",
        "CONSENT",
        "DIRECTORY",
        "MASKED",
        "HELD",
    ]
)


def classes(names: str) -> frozenset[str]:
    """Upper case: a legal class with all its parts, or a part; lower case: the general part of a legal class alone."""
    found: set[str] = set()
    for name in names.split():
        found |= {name.upper()} if name.islower() else set(PARTS.get(name, name).split())
    return frozenset(found)


DOCTORS = "gp specialist hospital-doctor on-call-doctor regulating-doctor"
FULL = f"{DOCTORS} nurse midwife dentist podiatrist care-assistant"
REHABILITATION = "physio dietitian ot speech-therapist"
OTHER = f"pharmacist {REHABILITATION}"
HEALTH = f"{FULL} {OTHER}"
HOME_AND_SOCIAL = "social-worker coordinator home-service-manager"
CLOSE = "caregiver trusted-person guardian"

PURPOSES = {
    **dict.fromkeys(f"{HEALTH} psychologist substitute trainee".split(), "TREAT"),
    **dict.fromkeys(f"{HOME_AND_SOCIAL} home-aide secretary call-handler patient-educator".split(), "COORD"),
    **dict.fromkeys(f"patient {CLOSE}".split(), "PATRQT"),
    **dict.fromkeys(["auditor", "dpo", "admin", "coordinator-admin", "referent"], "HOPERAT"),
}  # fmt: skip
DELEGATES = frozenset({"substitute", "trainee", "secretary"})


@dataclass(frozen=True)
class Line:
    rule: str
    roles: frozenset[str]
    needs: frozenset[str]
    scope: str  # any | own | service | addressed (to them or their structure) | in-person
    read: frozenset[str] | None  # None: what the Consent names
    write: frozenset[str]
    within: frozenset[str] = CLASSES
    urgent: bool = False


BY_CONSENT = CLASSES - {"PROT", "MASKED", "AUD", "DIRECTORY"}
"""What is the person's own to permit: not a report of abuse, what is masked, nor the traces."""


def line(rule: str, roles: str, needs: str, scope: str, read: str, write: str, within: str = "", *, urgent: bool = False) -> Iterable[Line]:  # fmt: skip
    """One Line a relationship: 'team|tour informed' is two."""
    kinds, *beside = needs.split()
    for kind in kinds.split("|"):
        yield Line(
            rule, frozenset(roles.split()), frozenset({kind, *beside}), scope, None if read == "named" else classes(read),
            classes(write), classes(within) if within else BY_CONSENT, urgent,
        )  # fmt: skip


_MEMBER = "ADM COORD VITAL CLIN ETP CONSENT NOTE3P HELD"
_OWN = "PSY SENS MINOR NOTE3P HELD"
_BRIEF = "ADM COORD VITAL CLIN HELD"
_VISITOR = "coord ALERT APPT VITAL CLIN HELD"
_URGENT = "ADM COORD VITAL CLIN PSY SENS HELD"
_ENTERED = "ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR NOTE3P HELD"
LINES: tuple[Line, ...] = (
    *line("2", FULL, "team", "any", _MEMBER, _MEMBER),
    *line("2", OTHER, "team", "any", "ADM COORD CONSENT HELD", "ADM COORD CONSENT"),
    *line("2", HEALTH, "team", "own", _OWN, _OWN),
    *line("3", HEALTH, "team informed", "any", "SOC", "SOC"),
    *line("4", f"{DOCTORS} nurse", "team mental", "any", "PSY", "PSY"),
    *line("4", "psychologist", "team mental informed", "any", "adm coord ALERT APPT TEAM PSY", "coord ALERT APPT PSY"),
    *line("5", DOCTORS, "team", "any", "SENS MINOR", "SENS MINOR"),
    *line("5", "nurse midwife", "team", "any", "MINOR", "MINOR"),
    *line("7", f"{HEALTH} psychologist", "consent", "any", "named", ""),
    *line("10", "on-call-doctor", "stay|referral", "any", _BRIEF, _VISITOR),
    *line("10", "on-call-doctor", "stay|referral", "own", "PSY SENS", "PSY SENS"),
    *line("11", f"{DOCTORS} nurse", "emergency", "any", _URGENT, "", urgent=True),
    *line("12", "regulating-doctor", "call", "any", _URGENT, "coord ALERT", urgent=True),
    *line("13", "call-handler", "call", "any", "adm TEAM SAFETY APPT ALERT", "APPT"),
    *line("13", "call-handler", "call", "own", "coord", ""),
    *line("14", "home-aide", "team|tour informed", "any", "adm SAFETY HOMEPLAN", ""),
    *line("14", "home-aide", "team|tour informed", "addressed", "coord ALERT APPT PROCHES", ""),
    *line("14", "home-aide", "team|tour informed", "service", "VITAL", ""),
    *line("15", "home-aide", "team|tour informed", "own", "coord ALERT APPT PROCHES VITAL HOMEPLAN CONSENT",
          "coord ALERT PROCHES VITAL HOMEPLAN CONSENT"),
    *line("16", "home-service-manager", "team|structure informed", "any", "ADM COORD SOC CONSENT",
          "adm coord ALERT APPT SAFETY PROCHES SOC CONSENT"),
    *line("16", "home-service-manager", "team|structure informed", "service", "VITAL", "VITAL"),
    *line("17", "social-worker", "team informed", "any", "ADM SOC COORD CLINSOC CONSENT",
          "adm SOC coord ALERT APPT PROCHES CONSENT"),
    *line("16", "home-service-manager", "team|structure informed", "own", "NOTE3P", "NOTE3P"),
    *line("17", "social-worker", "team informed", "own", "PSY SENS NOTE3P", "PSY SENS NOTE3P"),
    *line("17", "social-worker", "consent", "any", "named", "", "ADM SOC COORD CLINSOC"),
    *line("18", "coordinator", "team informed", "any", "ADM COORD SOC SYNTH CONSENT", "ADM COORD HOMEPLAN SYNTH CONSENT"),
    *line("18", "coordinator", "team informed", "own", "PSY SENS NOTE3P", "PSY SENS NOTE3P"),
    *line("19", "pharmacist", "team", "any", "MEDS ALLERGY LAB ETP", "MEDS ALLERGY ETP"),
    *line("20", REHABILITATION, "team", "any", "clin MEDS ALLERGY SYNTH STAY VITAL ETP", "clin VITAL ETP STAY"),
    *line("21", "patient", "self", "any",
          "ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR AUD CONSENT MASKED", "CONSENT MASKED"),
    *line("22", "guardian", "represented", "any", "ADM COORD VITAL CLIN ETP SOC PSY AUD CONSENT MASKED", "CONSENT"),
    *line("22", "guardian", "represented agreed", "any", "named", "", "SENS"),
    *line("23", CLOSE, "consent", "any", "named", "", "adm PROCHES APPT VITAL SAFETY"),
    *line("23", CLOSE, "consent", "any", "PROCHES APPT", "PROCHES"),
    *line("24", "auditor dpo", "office", "any", "AUD CONSENT", ""),
    *line("25", DOCTORS, "team attending", "any", "MASKED", "MASKED"),
    *line("25", f"{HEALTH} psychologist", "team", "own", "MASKED", "MASKED"),
    *line("25", f"{HOME_AND_SOCIAL} home-aide", "team", "own", "MASKED", ""),
    *line("26b", f"{HEALTH} psychologist", "team", "own", "PROT", "PROT"),
    *line("26b", f"{HEALTH} psychologist", "team", "in-person", "PROT", ""),
    *line("26b", f"{HOME_AND_SOCIAL} home-aide", "team|tour", "own", "PROT", "PROT"),
    *line("26b", HOME_AND_SOCIAL, "team", "in-person", "PROT", ""),
    *line("26c", "hospital-doctor specialist nurse", "stay|referral", "any", _BRIEF, _VISITOR),
    *line("26c", "hospital-doctor specialist nurse", "stay|referral", "own", "PSY SENS", "PSY SENS"),
    *line("28", "social-worker", "author", "own", f"{_ENTERED} MASKED CONSENT",
          "ADM coord ALERT APPT PROCHES SOC PSY SENS NOTE3P"),
    *line("28", "coordinator", "author", "own", f"{_ENTERED} MASKED CONSENT",
          "ADM coord ALERT APPT SAFETY PROCHES HOMEPLAN SYNTH PSY SENS NOTE3P"),
    *line("28", "home-service-manager", "author", "own", "ADM COORD VITAL SOC NOTE3P MASKED CONSENT",
          "ADM coord ALERT APPT SAFETY PROCHES VITAL SOC NOTE3P"),
    *line("28", f"{HEALTH} psychologist substitute", "author", "own",
          f"{_ENTERED} MASKED CONSENT", _ENTERED.replace("COORD", "coord ALERT APPT SAFETY PROCHES")),
    *line("28", "secretary", "author", "own", "ADM APPT CONSENT", "ADM APPT"),
)  # fmt: skip
OF_ROLE = {role: tuple(one for one in LINES if role in one.roles) for role in PURPOSES}

TAKEN = {"substitute": frozenset({"PROT"}), "trainee": frozenset({"SENS", "MINOR", "PROT", "MASKED"})}
"""Rows 8, 9 and 26b: what is taken from the rights of the person acted for."""
SECRETARY = (classes("ADM APPT CONSENT"), classes("ADM APPT CONSENT"))
"""Row 10b: what is read and written, of the patients of the professional who answers for them."""
UNNAMED = classes("ADM COORD VITAL CLIN ETP")
"""What a Consent without a class opens to a professional; to those close, nothing beyond row 23."""
_NOTE = "DocumentReference?type=https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote|"
WRITTEN_TYPES: dict[str, frozenset[str]] = {
    "home-aide": frozenset({
        "QuestionnaireResponse", "Observation", "Communication", "Consent", "Encounter?class=HH", _NOTE, "Provenance",
        "Task?code=https://liaison.example/fhir/CodeSystem/alert-level|", "Task?code=protection,suspected-abuse",
        "DocumentReference?type=https://liaison.example/fhir/CodeSystem/home-care|",
        "DocumentReference?type=protection,suspected-abuse",
    }),
    "home-service-manager": frozenset(
        ["Patient", "Appointment", "AppointmentResponse", "Communication", "CommunicationRequest", "Consent", "DocumentReference", "Encounter", "Flag", "Observation", "Provenance", "QuestionnaireResponse", "Task", "CarePlan?category=home-help,plan-aide"]
    ),
    **dict.fromkeys(CLOSE.split(), frozenset({"Communication", "Consent", _NOTE})),
}  # fmt: skip
"""What these may write at all (rows 15, 16 and 23)."""
