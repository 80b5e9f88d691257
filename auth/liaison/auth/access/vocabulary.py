"""The local codes and extensions from which rights are read, where R4 and the French guides leave the shape open.

| Where | What | Meaning |
|---|---|---|
| PractitionerRole.code | system ROLE | one of liaison.auth.access.roles.ROLES |
| PractitionerRole.extension | ACTS_FOR, valueReference | the PractitionerRole (or Practitioner) replaced, supervising, or answering for a secretary; `period` dates it |
| Practitioner.meta.tag | DIRECTORY `namesake` | said to be another person than the one of that name; inactive until an administrator has found out (people.namesakes) |
| Practitioner.qualification.code | DIRECTORY `etp-40h` | trained for 40 hours in therapeutic education, since `period.start` (CSP D.1161-1) |
| Organization.extension | APPROVED, valuePeriod | an association of users of the health system that is approved (CSP L.1114-1), and when |
| CareTeam.participant.extension | LEGAL_BASIS, valueCode | `same-structure`, `recognised`, `formal-organisation`, `invited`, `referral` (L.1110-12) |
| CareTeam.participant.extension | INFORMED, valueDateTime | when the patient was told of this recipient (R.1110-3) |
| CareTeam.participant.role | TRE_R259 `PCP`, or ROLE `attending-gp` | the attending doctor (médecin traitant) |
| CareTeam.category | CARE_TEAM `mental-health` | the mental-health subteam (rule 4) |
| Consent.category | CONSENT `information` | records that the person was informed (R.1110-3), for all recipients or those in provision.actor |
| Consent.provision.type | `deny` | opposition; with purpose ETREAT: objection to emergency access; with data: masking of these items |
| Consent.provision.securityLabel | DATA_CLASS | the classes permitted or denied; none in a deny means all |
| RelatedPerson.extension | REPRESENTATION: `measure` valueCode, `seenBy` valueReference, `seenOn` valueDate | representation for the person, and who saw the document |
| Appointment.cancelationReason | ALERT_CLOSING `hospitalised` | a line of a tour that pauses for a stay in hospital, and stays one |
| Schedule.extension, Slot.extension | KEPT_BY valueReference | whose agenda it is, of no patient: the structure that may change it |
| Task.code | PLATFORM `call` | a call to the telephone platform, written by the identity cell alone |
| Task.code | REVIEW `emergency-access`, `join`, `withdrawal`, `attending-doctor`, `duplicate`, `distinct`, `merge`, `unmerge` | the review list, written by the identity cell alone |
| Task.businessStatus | REVIEW `justified`, `to-clarify`, `unjustified`, `reported` | the outcome of a review |
| meta.security | DATA_CLASS | sets a class by hand: PSY, SENS, MINOR, NOTE3P, PROT, ETP, SOC, HOMEPLAN, COORD… |
| meta.security | VISIBILITY `proches`, `held` | the shared notebook; a result withheld from the patient until it is told |
"""

from typing import Final

LOCAL: Final = "https://liaison.example/fhir"
_EXTENSION: Final = f"{LOCAL}/StructureDefinition"

ROLE: Final = f"{LOCAL}/CodeSystem/role"
DATA_CLASS: Final = f"{LOCAL}/CodeSystem/data-class"
VISIBILITY: Final = f"{LOCAL}/CodeSystem/visibility"
CARE_TEAM: Final = f"{LOCAL}/CodeSystem/care-team"
CONSENT: Final = f"{LOCAL}/CodeSystem/consent"
REVIEW: Final = f"{LOCAL}/CodeSystem/review"
DIRECTORY: Final = f"{LOCAL}/CodeSystem/directory"
PLATFORM: Final = f"{LOCAL}/CodeSystem/platform"
ALERT_CLOSING: Final = f"{LOCAL}/CodeSystem/alert-closing"

ACTS_FOR: Final = f"{_EXTENSION}/acts-for"
LEGAL_BASIS: Final = f"{_EXTENSION}/legal-basis"
INFORMED: Final = f"{_EXTENSION}/informed"
REPRESENTATION: Final = f"{_EXTENSION}/representation"
KEPT_BY: Final = f"{_EXTENSION}/kept-by"
APPROVED: Final = f"{_EXTENSION}/approved-association"
TRAINED: Final = "etp-40h"
HOSPITALISED: Final = "hospitalised"

BASES: Final = frozenset({"same-structure", "recognised", "formal-organisation", "invited", "referral"})
MEASURES: Final = frozenset({"tutelle", "habilitation", "parental-authority"})
"""Measures with representation for the person (Civil Code 425, 459). Others are treated as rule 23."""

AUTHORISATION: Final = f"{LOCAL}/sid/replacement-authorisation"
"""PractitionerRole.identifier of a substitute: the number of the authorisation that the Order's council gave (R.4127-65)."""

PROFESSION: Final = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
SPECIALTY: Final = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
PRACTICE_MODE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice"
PARTICIPATION_FUNCTION: Final = (
    "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"
)
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
