"""How long a record is kept, and what keeps it longer.

rules     the law as data: until when a record is in active use, until when it is kept
records   what these rules need to know of each record of the base
archiving what has left active use is closed to the teams, and opened again
holds     legal holds: who forbids that a record is destroyed, why, since when
"""
