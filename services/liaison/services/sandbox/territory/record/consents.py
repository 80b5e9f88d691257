"""The proofs: information given, consents, oppositions (domain notes §2.6). Each says who, when, by what means."""

from datetime import datetime
from typing import Final

from liaison.auth.access import vocabulary
from liaison.services.sandbox.territory import rights, systems
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, moment, ref, without_empty

POLICY: Final = {
    "information": ("R1110-3", "Information sur le partage entre professionnels (CSP R.1110-3)"),
    "sharing": ("D1110-3-1", "Consentement au partage hors de l'équipe de soins (CSP D.1110-3-1)"),
    "opposition": ("L1110-4", "Opposition au partage (CSP L.1110-4 IV)"),
    "emergency-objection": ("L1111-17", "Opposition à l'accès en urgence (CSP L.1111-17 I)"),
    "masking": ("R1111-49", "Masquage d'une information (CSP R.1111-49, par analogie)"),
    "etp": ("L1161-2", "Accord pour entrer dans le programme d'éducation thérapeutique (CSP L.1161-2)"),
}
MEANS: Final = {"oral": "À l'oral", "paper": "Document signé", "digital": "En ligne"}


def consent(
    record: Record,
    kind: str,
    at: datetime,
    by: str,
    *,
    means: str = "oral",
    actors: tuple[Tree, ...] = (),
    classes: tuple[str, ...] = (),
    items: tuple[str, ...] = (),
    note: str = "",
    key: str = "",
) -> str:
    """One recorded decision or information. `actors` names to whom it applies, none means everyone; `items` are
    resources that a masking hides."""
    article, policy = POLICY[kind]
    deny = kind in ("opposition", "emergency-objection", "masking")
    purpose = {"information": "", "etp": "", "emergency-objection": "ETREAT"}.get(kind, "TREAT")
    scope = ("treatment", "Soins") if kind == "etp" else ("patient-privacy", "Vie privée")
    return record.add(
        without_empty(
            resourceType="Consent",
            status="active",
            scope=coded(systems.CONSENT_SCOPE, *scope),
            category=[
                coded(systems.LOINC, "59284-0", "Consentement du patient"),
                coded(vocabulary.CONSENT, kind, policy.partition(" (")[0]),
            ],
            dateTime=moment(at),
            performer=[ref(record.patient, record.person.name), record.who(by)],
            organization=[record.service_of(by)],
            policyRule=concept(
                coding("https://www.legifrance.gouv.fr/codes/id/LEGITEXT000006072665", article, policy),
                text=". ".join(part for part in (policy, MEANS[means], note) if part),
            ),
            verification=[{"verified": True, "verifiedWith": ref(record.patient), "verificationDate": moment(at)}],
            # What only records a fact (information, entry into a programme) neither permits nor denies.
            provision=without_empty(
                type=None if kind in ("information", "etp") else "deny" if deny else "permit",
                period={"start": moment(at)},
                actor=[
                    {"role": coded(systems.PARTICIPATION, "IRCP", "Destinataire"), "reference": actor}
                    for actor in actors
                ],
                action=[coded(systems.CONSENT_ACTION, "access", "Accès")] if purpose else None,
                securityLabel=[rights.data_class(name) for name in classes],
                purpose=[coding(systems.ACT_REASON, purpose)] if purpose else None,
                data=[{"meaning": "instance", "reference": ref(item)} for item in items],
            ),
        ),
        key,
    )


def informed(record: Record, at: datetime, by: str) -> str:
    """The information of R.1110-3: what is shared, and with whom, given before health and social staff share."""
    return consent(
        record,
        "information",
        at,
        by,
        note="Nature des informations et fonctions des destinataires expliquées, livret remis, pas d'opposition",
    )
