"""The law's table (domain notes §2.5), written a second time by hand: what the tests hold the engine's table against.

Keys are (role, situation); a situation with more facts allows what it allows with fewer. Whatever is not here is denied.
"""

FULL = ["gp", "specialist", "hospital-doctor", "on-call-doctor", "regulating-doctor", "nurse", "midwife", "dentist",
        "podiatrist", "care-assistant"]  # fmt: skip
DOCTORS = FULL[:5]
REHABILITATION = ["physio", "dietitian", "ot", "speech-therapist"]

ADM, COORD = {"ADM", "FILE"}, {"COORD", "TEAM", "APPT", "SAFETY", "PROCHES", "ALERT"}
CLIN = {"CLIN", "MEDS", "ALLERGY", "LAB", "SYNTH", "CLINSOC", "STAY"}
SOC = {"SOC", "HOMEPLAN"}
MEMBER = ADM | COORD | {"VITAL", "ETP", "CONSENT", "NOTE3P", "HELD"} | CLIN
EMERGENCY = ADM | COORD | CLIN | {"VITAL", "PSY", "SENS", "HELD"}

# (role, relationship) → classes read of anyone's entries. `team+informed` and the like add to `team`.
READ: dict[tuple[str, str], set[str]] = {
    **{(role, "team"): MEMBER for role in FULL},
    **{(role, "team"): MEMBER | {"SENS", "MINOR"} for role in DOCTORS},
    **{(role, "team"): MEMBER | {"MINOR"} for role in ("nurse", "midwife")},
    ("pharmacist", "team"): ADM | COORD | {"CONSENT", "HELD", "MEDS", "ALLERGY", "LAB", "ETP"},
    **{
        (role, "team"): ADM | COORD
        | {"CONSENT", "HELD", "CLIN", "MEDS", "ALLERGY", "SYNTH", "STAY", "VITAL", "ETP"}
        for role in REHABILITATION
    },
    **{(role, "team+informed"): SOC for role in [*FULL, "pharmacist", *REHABILITATION]},
    **{(role, "team+mental"): {"PSY"} for role in [*DOCTORS, "nurse"]},
    ("psychologist", "team+mental+informed"): {"ADM", "COORD", "ALERT", "APPT", "TEAM", "PSY"},
    **{(role, "team+attending"): {"MASKED"} for role in DOCTORS},
    **{
        (role, relation): ADM | COORD | {"VITAL", "HELD"} | CLIN
        for role in ("on-call-doctor", "hospital-doctor", "specialist", "nurse")
        for relation in ("stay", "referral")
    },
    **{
        (role, "unit"): ADM | COORD | {"VITAL", "HELD"} | CLIN
        for role in ("on-call-doctor", "hospital-doctor", "specialist", "nurse")
    },
    **{(role, "emergency"): EMERGENCY for role in ("gp", "specialist", "hospital-doctor", "on-call-doctor",
                                                    "regulating-doctor", "nurse")},
    ("regulating-doctor", "call"): EMERGENCY,
    ("call-handler", "call"): {"ADM", "TEAM", "SAFETY", "APPT", "ALERT"},
    ("home-aide", "team+informed"): {"ADM", "SAFETY", "HOMEPLAN"},
    ("home-aide", "tour+structure+informed"): {"ADM", "SAFETY", "HOMEPLAN"},
    ("home-service-manager", "team+informed"): ADM | COORD | SOC | {"CONSENT"},
    ("home-service-manager", "structure+informed"): ADM | COORD | SOC | {"CONSENT"},
    ("social-worker", "team+informed"): ADM | SOC | COORD | {"CLINSOC", "CONSENT"},
    ("coordinator", "team+informed"): ADM | COORD | SOC | {"SYNTH", "CONSENT"},
    **{(role, "none"): {"AUD", "CONSENT"} for role in ("auditor", "dpo")},
    # rule 7: what the Consent names (CLIN and VITAL here), for health professionals; rule 17 cuts it to the social scope
    **{(role, "consent"): {"VITAL"} | CLIN for role in [*FULL, "pharmacist", *REHABILITATION, "psychologist"]},
    ("social-worker", "consent"): {"CLINSOC"},
}  # fmt: skip
OWN_SENSITIVE = {"PSY", "SENS", "MINOR", "NOTE3P", "HELD", "MASKED", "PROT"}
# … and of what they wrote themselves, besides.
OWN: dict[tuple[str, str], set[str]] = {
    ("call-handler", "call"): {"COORD"},
    **{(role, "team"): OWN_SENSITIVE for role in [*FULL, "pharmacist", *REHABILITATION]},
    ("psychologist", "team"): {"MASKED", "PROT"},
    **{
        (role, relation): {"PSY", "SENS"}
        for role in ("on-call-doctor", "hospital-doctor", "specialist", "nurse")
        for relation in ("stay", "referral", "unit")
    },
    **{(role, "team"): {"MASKED", "PROT"} for role in ("social-worker", "coordinator", "home-service-manager",
                                                      "home-aide")},
    **{(role, "tour+structure"): {"PROT"} for role in ("social-worker", "coordinator", "home-service-manager",
                                                      "home-aide")},
    **{
        ("home-aide", relation): {"COORD", "ALERT", "APPT", "PROCHES", "VITAL", "HOMEPLAN", "CONSENT"}
        for relation in ("team+informed", "tour+structure+informed")
    },
    **{
        (role, "author"): ADM | COORD | CLIN | SOC
        | {"VITAL", "ETP", "PSY", "SENS", "MINOR", "NOTE3P", "HELD", "MASKED", "CONSENT"}
        for role in [*FULL, "pharmacist", *REHABILITATION, "psychologist", "social-worker", "coordinator"]
    },
    ("home-service-manager", "author"): ADM | COORD | SOC | {"VITAL", "NOTE3P", "MASKED", "CONSENT"},
    **{(role, "team+informed"): {"PSY", "SENS", "NOTE3P"} for role in ("social-worker", "coordinator")},
    **{("home-service-manager", relation): {"NOTE3P"} for relation in ("team+informed", "structure+informed")},
}  # fmt: skip
WRITE: dict[tuple[str, str], set[str]] = {
    **{(role, "team"): MEMBER for role in FULL},
    **{(role, "team"): MEMBER | {"SENS", "MINOR"} for role in DOCTORS},
    **{(role, "team"): MEMBER | {"MINOR"} for role in ("nurse", "midwife")},
    ("pharmacist", "team"): ADM | COORD | {"CONSENT", "MEDS", "ALLERGY", "ETP"},
    **{(role, "team"): ADM | COORD | {"CONSENT", "CLIN", "VITAL", "ETP", "STAY"} for role in REHABILITATION},
    **{(role, "team+informed"): SOC for role in [*FULL, "pharmacist", *REHABILITATION]},
    **{(role, "team+mental"): {"PSY"} for role in [*DOCTORS, "nurse"]},
    ("psychologist", "team+mental+informed"): {"COORD", "ALERT", "APPT", "PSY"},
    **{(role, "team+attending"): {"MASKED"} for role in DOCTORS},
    **{
        (role, relation): {"COORD", "ALERT", "APPT", "VITAL", "HELD"} | CLIN
        for role in ("on-call-doctor", "hospital-doctor", "specialist", "nurse")
        for relation in ("stay", "referral", "unit")
    },
    ("regulating-doctor", "call"): {"COORD", "ALERT"},
    ("call-handler", "call"): {"APPT"},
    **{
        ("home-service-manager", relation): {"ADM", "COORD", "ALERT", "APPT", "SAFETY", "PROCHES", "CONSENT"} | SOC
        for relation in ("team+informed", "structure+informed")
    },
    ("social-worker", "team+informed"): {"ADM", "COORD", "ALERT", "APPT", "PROCHES", "CONSENT"} | SOC,
    ("coordinator", "team+informed"): ADM | COORD | {"HOMEPLAN", "SYNTH", "CONSENT"},
}


def allowed(table: dict[tuple[str, str], set[str]], role: str, parts: set[str]) -> set[str]:
    """What a table allows a role in a situation made of these parts."""
    found = set(table.get((role, "none"), ()))
    for (other, name), names in table.items():
        if other == role and set(name.split("+")) <= parts:
            found |= names
    return found
