"""CDS Hooks 2.0: a clinician's software opens a record, and is told what waits there. https://cds-hooks.hl7.org/2.0/

service  discovery, and the hook `patient-view`
asking   whose question it is: the software by its signature, the person by their access token
cards    what is told, from what that person may see

Nothing is told of a record but what the access token in the question opens. A prefetch is not read: it is the software's word.
"""
