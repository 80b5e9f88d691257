"""One name for each code system of which the rules speak: a diagnosis is as sensitive by the OID that a CDA document gives it, or
in a country's edition of ICD-10, as by the URI of FHIR.

http://hl7.org/fhir/R4/terminologies-systems.html and http://hl7.org/fhir/R4/icd.html (`icd-10-[x]`); the NamingSystems of
terminology.hl7.org; the terminology server of the ANS, whose profiles of a problem take ICD-10 by its address there; WHO's own
URI (https://id.who.int/icd/release/10), which is that of ICD-11 too, with or without the day of a release. Editions of ICD-10 share their three-character categories, of which the rules speak. A system that is
called otherwise is another system.
"""

from functools import lru_cache
from typing import Final

_ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
_ICPC_2: Final = "http://hl7.org/fhir/sid/icpc-2"
SAID_ONLY: Final = frozenset({_ICPC_2})
"""A letter and two figures, which ICD-10 has too, for something else: W10 is a fall on stairs there, and a pill here. Without its
system such a code says nothing."""
_ICD_11: Final = "http://id.who.int/icd/release/11/mms"
_OTHERWISE: Final = {
    "urn:oid:2.16.840.1.113883.6.3": _ICD_10,
    "urn:oid:2.16.840.1.113883.6.90": _ICD_10,  # ICD-10-CM
    "http://terminology.hl7.org/codesystem/icd10": _ICD_10,
    "http://smt.esante.gouv.fr/terminologie-cim-10": _ICD_10,
    "http://smt.esante.gouv.fr/terminologie-atc": "http://www.whocc.no/atc",
    "http://smt.esante.gouv.fr/terminologie-cim11-mms": _ICD_11,
    "urn:oid:2.16.840.1.113883.6.139": _ICPC_2,
    "urn:oid:2.16.840.1.113883.6.1": "http://loinc.org",
    "urn:oid:2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "urn:oid:2.16.840.1.113883.6.73": "http://www.whocc.no/atc",
    "urn:oid:2.16.840.1.113883.5.4": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/v3/actcode": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "urn:oid:2.16.840.1.113883.5.25": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/confidentiality": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
}
_BY_URI: Final = {known.lower(): known for known in _OTHERWISE.values()} | _OTHERWISE
"""In small letters, as they are looked for: who writes `HTTP://LOINC.ORG` means no other system."""

_EDITIONS: Final = {
    f"{_ICD_10}-": _ICD_10,
    "http://id.who.int/icd/release/10": _ICD_10,
    "http://id.who.int/icd/release/11": _ICD_11,
    "http://id.who.int/icd11": _ICD_11,
    "http://icd.who.int/browse11": _ICD_11,
    "http://snomed.info/sct/": "http://snomed.info/sct",
}
"""By how the URI of each begins."""


@lru_cache(4_096)
def called(system: str) -> str:
    """The name by which the rules know the system; the text itself for one that they do not."""
    plain = system.strip().partition("|")[0].rstrip("/").lower().replace("https://", "http://", 1)
    edition = next((known for start, known in _EDITIONS.items() if plain.startswith(start)), None)
    return edition or _BY_URI.get(plain, system)
