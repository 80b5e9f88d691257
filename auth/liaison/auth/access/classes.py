"""The data classes, as bits. A resource carries a set of them and is visible only when every one is allowed.

The legal classes of the table (ADM COORD VITAL CLIN ETP SOC PSY SENS MINOR NOTE3P PROT AUD) are split where a row of the
table cuts inside one: CLIN stands for all its parts when a rule names it, MEDS for one part. Three bits are only ever
*added* to others: MASKED, HELD and PROCHES change who sees an item, not what it is about.

Numbers are stored (permuted under the patient's key): never reused, never renumbered. At most 63, of a signed bigint.
"""

from collections.abc import Iterable, Iterator
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import Final


class Class(IntFlag):
    """One bit a class. The comment says what falls under it when it is a part of a legal class."""

    ADM = 1 << 0  # identity and contacts: the Patient itself
    FILE = 1 << 1  # ADM: coverage, billing, relatives
    COORD = 1 << 2  # plan, liaison notes, tasks, alerts that are closed
    TEAM = 1 << 3  # COORD: who is in; writing it gives rights
    APPT = 1 << 4  # COORD: appointments, sessions, attendance
    SAFETY = 1 << 5  # COORD: "À savoir", approved for those who help at home
    VITAL = 1 << 6
    CLIN = 1 << 7  # reports, problems, acts
    MEDS = 1 << 8  # CLIN: medication
    ALLERGY = 1 << 9  # CLIN
    LAB = 1 << 10  # CLIN: laboratory
    SYNTH = 1 << 11  # CLIN: syntheses, PPCS
    CLINSOC = 1 << 12  # CLIN: what its author marked for social follow-up
    ETP = 1 << 13
    SOC = 1 << 14  # assessment, income, family
    HOMEPLAN = 1 << 15  # SOC: the home-help plan
    PSY = 1 << 16
    SENS = 1 << 17
    MINOR = 1 << 18
    NOTE3P = 1 << 19
    PROT = 1 << 20
    AUD = 1 << 21
    CONSENT = 1 << 22  # consents, oppositions, information given
    STAY = 1 << 23  # encounters: their periods open rights
    DIRECTORY = 1 << 24
    MASKED = 1 << 25  # added: hidden by the patient from all but author and attending doctor
    HELD = 1 << 26  # added: withheld from the patient until told
    PROCHES = 1 << 27  # a note of the shared notebook, addressed to those close to the patient
    ALERT = 1 << 28  # COORD: an alert that nobody has closed yet


EVERYTHING: Final = Class(reduce(or_, Class))

NOT_BY_CONSENT: Final = Class.PROT | Class.MASKED | Class.AUD | Class.DIRECTORY
"""What no permission of the person opens to anybody: reports of abuse are their author's and of those whom it designates
(row 26b), what is masked is its author's and the attending doctor's (row 25), the traces are the auditors' (row 24)."""

CLOSING: Final = Class.PSY | Class.SENS | Class.MINOR | Class.NOTE3P | Class.PROT | Class.HELD
"""What closes former versions too, once it is said of the last."""
HIDING: Final = CLOSING | Class.MASKED
"""An item of one of these is not to be known of by whoever does not see it: nothing else names it to them (access.naming)."""

PARTS: Final[dict[str, Class]] = {
    "ADM": Class.ADM | Class.FILE,
    "COORD": Class.COORD | Class.TEAM | Class.APPT | Class.SAFETY | Class.PROCHES | Class.ALERT,
    "CLIN": Class.CLIN | Class.MEDS | Class.ALLERGY | Class.LAB | Class.SYNTH | Class.CLINSOC | Class.STAY,
    "SOC": Class.SOC | Class.HOMEPLAN,
}
"""A legal class named by a rule or a Consent, and every bit it stands for. One not here stands for itself.

`COORD_ONLY`, `CLIN_ONLY` and `SOC_ONLY` name the bit alone."""

_ALONE: Final = {"ADM_ONLY": Class.ADM, "COORD_ONLY": Class.COORD, "CLIN_ONLY": Class.CLIN, "SOC_ONLY": Class.SOC}


def named(name: str) -> Class:
    """The bits that one name of the table or of a Consent stands for. KeyError for a name that is none."""
    part = PARTS.get(name) or _ALONE.get(name)
    return part if part is not None else Class[name]


def union(names: Iterable[str]) -> Class:
    return reduce(or_, (named(name) for name in names), Class(0))


def bits(mask: int) -> Iterator[Class]:
    """The single classes of a mask, lowest first."""
    return (one for one in Class if mask & one)
