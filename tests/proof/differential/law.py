"""The decision table of the law of sharing, written down once more: who reads and writes what, by which relationship.

Shares nothing with the table of the engine. Rows have the numbers of the law's own table; what that leaves open is as
docs/rights.md says. Without a line here, the answer is no.
"""

from typing import Final, NamedTuple

DOCTORS: Final = "gp specialist hospital-doctor on-call-doctor regulating-doctor"
FULL: Final = f"{DOCTORS} nurse midwife dentist podiatrist care-assistant"
REHABILITATION: Final = "physio dietitian ot speech-therapist"
HEALTH: Final = f"{FULL} pharmacist {REHABILITATION}"
SOCIAL: Final = "social-worker coordinator home-service-manager"

PARTS: Final = {
    "ADM": "ADM FILE",
    "COORD": "COORD TEAM APPT SAFETY PROCHES ALERT",
    "CLIN": "CLIN MEDS ALLERGY LAB SYNTH CLINSOC STAY",
    "SOC": "SOC HOMEPLAN",
}
"""A class of the law stands for its parts; `=COORD` is the general part alone."""

EVERYTHING: Final = "ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR NOTE3P PROT AUD CONSENT MASKED HELD"
GIVEN: Final = "ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR NOTE3P CONSENT HELD"
"""What is the person's own to permit: not a report of abuse, what is masked, nor the traces."""


def classes(names: str) -> frozenset[str]:
    return frozenset(
        part for name in names.split() for part in ([name[1:]] if name[0] == "=" else PARTS.get(name, name).split())
    )


class Line(NamedTuple):
    """`whose`: '' anyone's, own, service (written there), addressed (to me or my structure), in-person (to me)."""

    row: str
    roles: str
    relations: str
    reads: str
    writes: str = ""
    when: str = ""
    whose: str = ""
    urgent: bool = False  # in an emergency or a regulating doctor's call, and in no other session


MEMBER: Final = "ADM COORD VITAL CLIN ETP CONSENT NOTE3P HELD"
VISITOR: Final = "ADM COORD VITAL CLIN HELD"
VISITED: Final = "=COORD ALERT APPT VITAL CLIN HELD"
OWN: Final = "PSY SENS MINOR NOTE3P HELD"
ENTERED: Final = "VITAL CLIN ETP SOC PSY SENS MINOR NOTE3P HELD"
URGENT: Final = f"{DOCTORS} nurse"
URGENTLY: Final = "ADM COORD VITAL CLIN PSY SENS HELD"
RECEIVE: Final = ("call-handler", "regulating-doctor")
NOTES: Final = "=COORD ALERT PROCHES VITAL HOMEPLAN CONSENT"

TABLE: Final = (
    Line("2", FULL, "team", MEMBER, MEMBER),
    Line("2", f"pharmacist {REHABILITATION}", "team", "ADM COORD CONSENT HELD", "ADM COORD CONSENT"),
    Line("2", HEALTH, "team", OWN, OWN, whose="own"),
    Line("3", HEALTH, "team", "SOC", "SOC", when="informed"),
    Line("4", f"{DOCTORS} nurse", "team", "PSY", "PSY", when="mental"),
    Line("4", "psychologist", "team", "=ADM =COORD ALERT APPT TEAM PSY", "=COORD ALERT APPT PSY", "mental informed"),
    Line("5", DOCTORS, "team", "SENS MINOR", "SENS MINOR"),
    Line("5", "nurse midwife", "team", "MINOR", "MINOR"),
    Line("7", f"{HEALTH} psychologist", "consent", GIVEN),
    Line("10", "on-call-doctor", "stay referral", VISITOR, VISITED),
    Line("10", "on-call-doctor", "stay referral", "PSY SENS", "PSY SENS", whose="own"),
    Line("11", URGENT, "emergency", URGENTLY, urgent=True),
    Line("12", "regulating-doctor", "call", URGENTLY, "=COORD ALERT", urgent=True),
    Line("13", "call-handler", "call", "=ADM TEAM SAFETY APPT ALERT", "APPT"),
    Line("13", "call-handler", "call", "=COORD", whose="own"),
    Line("14", "home-aide", "team tour", "=ADM SAFETY HOMEPLAN", when="informed"),
    Line("14", "home-aide", "team tour", "=COORD ALERT APPT PROCHES", when="informed", whose="addressed"),
    Line("14", "home-aide", "team tour", "VITAL", when="informed", whose="service"),
    Line("15", "home-aide", "team tour", f"{NOTES} APPT", NOTES, "informed", "own"),
    Line("16", "home-service-manager", "team structure", "ADM COORD SOC CONSENT",
         "=ADM =COORD ALERT APPT SAFETY PROCHES SOC CONSENT", "informed"),
    Line("16", "home-service-manager", "team structure", "VITAL", "VITAL", "informed", "service"),
    Line("17", "social-worker", "team", "ADM SOC COORD CLINSOC CONSENT", "=ADM SOC =COORD ALERT APPT PROCHES CONSENT",
         "informed"),
    Line("16", "home-service-manager", "team structure", "NOTE3P", "NOTE3P", "informed", "own"),
    Line("17", "social-worker", "team", "PSY SENS NOTE3P", "PSY SENS NOTE3P", "informed", "own"),
    Line("17", "social-worker", "consent", "ADM SOC COORD CLINSOC"),
    Line("18", "coordinator", "team", "ADM COORD SOC SYNTH CONSENT", "ADM COORD HOMEPLAN SYNTH CONSENT", "informed"),
    Line("18", "coordinator", "team", "PSY SENS NOTE3P", "PSY SENS NOTE3P", "informed", "own"),
    Line("19", "pharmacist", "team", "MEDS ALLERGY LAB ETP", "MEDS ALLERGY ETP"),
    Line("20", REHABILITATION, "team", "=CLIN MEDS ALLERGY SYNTH STAY VITAL ETP", "=CLIN VITAL ETP STAY"),
    Line("21", "patient", "self", "ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR AUD CONSENT MASKED", "CONSENT MASKED"),
    Line("22", "guardian", "represented", "ADM COORD VITAL CLIN ETP SOC PSY AUD CONSENT MASKED", "CONSENT"),
    Line("22", "guardian", "agreed", "SENS"),
    Line("23", "caregiver guardian", "consent", "=ADM PROCHES APPT VITAL SAFETY"),
    Line("23", "caregiver guardian", "named", "PROCHES APPT", "PROCHES"),
    Line("24", "auditor dpo", "office", "AUD CONSENT"),
    Line("25", DOCTORS, "team", "MASKED", "MASKED", when="attending"),
    Line("25", f"{HEALTH} psychologist", "team", "MASKED", "MASKED", whose="own"),
    Line("25", f"{SOCIAL} home-aide", "team", "MASKED", whose="own"),
    Line("26b", f"{HEALTH} psychologist", "team", "PROT", "PROT", whose="own"),
    Line("26b", f"{HEALTH} psychologist {SOCIAL}", "team", "PROT", whose="in-person"),
    Line("26b", f"{SOCIAL} home-aide", "team tour", "PROT", "PROT", whose="own"),
    Line("26c", "hospital-doctor specialist nurse", "stay referral", VISITOR, VISITED),
    Line("26c", "hospital-doctor specialist nurse", "stay referral", "PSY SENS", "PSY SENS", whose="own"),
    Line("28", f"{HEALTH} psychologist substitute", "author", f"ADM COORD MASKED CONSENT {ENTERED}",
         f"ADM =COORD ALERT APPT SAFETY PROCHES {ENTERED}", whose="own"),
    Line("28", "social-worker", "author", f"ADM COORD MASKED CONSENT {ENTERED}",
         "ADM =COORD ALERT APPT PROCHES SOC PSY SENS NOTE3P", whose="own"),
    Line("28", "coordinator", "author", f"ADM COORD MASKED CONSENT {ENTERED}",
         "ADM =COORD ALERT APPT SAFETY PROCHES HOMEPLAN SYNTH PSY SENS NOTE3P", whose="own"),
    Line("28", "home-service-manager", "author", "ADM COORD MASKED CONSENT VITAL SOC NOTE3P",
         "ADM =COORD ALERT APPT SAFETY PROCHES VITAL SOC NOTE3P", whose="own"),
    Line("28", "secretary", "author", "ADM APPT CONSENT", "ADM APPT", whose="own"),
)  # fmt: skip
"""Rows 8 (substitute), 9 (trainee), 10b (secretary) and 26d (software) take from another's rights: see rights.py."""

ORDINARY: Final = "ADM COORD VITAL CLIN ETP"
"""What a permission that names no class means for a professional."""
TRAINEE_NEVER: Final = classes("SENS MINOR")
SECRETARY: Final = "ADM APPT CONSENT"

WRITES_ONLY: Final = {
    "home-aide": {"Observation": (), "Communication": (), "DocumentReference": ("note", "protection")},
    "home-service-manager": {
        "Observation": (), "Communication": (), "DocumentReference": (), "Flag": (), "CarePlan": ("home-help",),
    },
    "caregiver": {"Communication": (), "DocumentReference": ("note",)},
    "guardian": {"Communication": (), "DocumentReference": ("note",)},
}  # fmt: skip
"""Rows 15, 16 and 23: the types of entries that these roles write, and the codes that one must have, when any do."""
DELETES_NOTHING: Final = "home-aide"
COUNTERSIGNED: Final = "trainee"
"""Row 9."""

# ---- what an entry is ---------------------------------------------------------------------------------------------

OF_TYPE: Final = {
    "Patient": "ADM", "RelatedPerson": "FILE", "Coverage": "FILE", "CarePlan": "COORD", "Task": "COORD",
    "Communication": "COORD", "Flag": "COORD", "CareTeam": "TEAM", "Appointment": "APPT", "Consent": "CONSENT",
    "Encounter": "STAY", "MedicationRequest": "MEDS", "AllergyIntolerance": "ALLERGY",
}  # fmt: skip
"""What is not here is CLIN."""
BY_CODE: Final = {
    ("Observation", "vital-signs"): "VITAL", ("Observation", "laboratory"): "LAB", ("Observation", "gir"): "SOC",
    ("Observation", "20152-5"): "SYNTH", ("Observation", "etp"): "ETP", ("Communication", "protection"): "PROT",
    ("DocumentReference", "protection"): "PROT", ("DocumentReference", "note"): "COORD",
    ("DocumentReference", "60591-5"): "SYNTH", ("DocumentReference", "51848-0"): "SOC", ("Flag", "safety"): "SAFETY",
    ("CarePlan", "home-help"): "HOMEPLAN", ("CarePlan", "ppcs"): "SYNTH", ("Encounter", "visit"): "COORD",
}  # fmt: skip
BESIDES: Final = {"B24": "SENS", "F20": "PSY", "34788-0": "PSY"}
"""Wherever they stand, in an entry or in what it contains."""
NO_CONTENT: Final = frozenset(["Patient", "Practitioner", "Organization", "Location"])
"""Contained in an entry, these make nothing else of it."""
LABELS_ADD: Final = frozenset(["PSY", "SENS", "MINOR", "NOTE3P", "PROT", "HELD"])
FIXED: Final = frozenset(["Patient", "CareTeam", "Consent", "RelatedPerson"])
OPEN_ALERT: Final = {
    "Task": frozenset(["requested", "received", "accepted", "in-progress", "on-hold"]),
    "Flag": frozenset(["active"]),
}
