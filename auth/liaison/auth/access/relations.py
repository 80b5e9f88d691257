"""What links a principal to a patient: rights, and the facts that grant, condition or deny them.

Numbers are stored: never reused, never renumbered. Those below 20 may carry rights by the table; the others are facts
that the computation of grants takes into account.
"""

from enum import IntEnum


class Relation(IntEnum):
    SELF = 1
    REPRESENTED = 2
    CALL = 3
    TEAM = 4  # active CareTeam participant, period covers now
    DELEG = 5  # substitute, trainee, secretary of someone who has a right; never stated for a patient
    CONSENT = 6  # explicit permit naming the person, the organisation or all
    REFERRAL = 7  # accepted referral
    EMERGENCY = 8
    AUTHOR = 9  # the creator of a record and its source structure: what they entered, nothing else
    STAY = 10  # open encounter: its participants, and the unit of an inpatient one; + 24 h
    TOUR = 11  # a visit line of a structure of the team: from 18 h the evening before to 24 h after
    OFFICE = 12  # an auditor: traces and consents alone, of what their organisation answers for (offices)
    # -- facts
    STRUCTURE = 20  # an organisation in the team: gives a right to its manager of home help alone (rule 16)
    ATTENDING = 21  # the attending doctor
    MENTAL_HEALTH = 22  # member of the mental-health subteam
    INFORMED = 23  # R.1110-3 information recorded, for a recipient or (principal 0) for all
    DENY = 30  # opposition, to one person or organisation or (principal 0) to all
    EMERGENCY_OBJECTION = 31
    MASK = 32  # an item hidden by the patient; the principal is the res of the item
