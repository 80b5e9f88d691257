"""The access journal: who did what, on which patient, why, under which right. No journal, no data.

entry       what is recorded, and how it is made from a request and its answer
sealing     an entry as stored: clear columns and a sealed body, both under the leaf hash
commit      durable in groups before the first byte leaves; each worker's entries form a chain
tree        RFC 9162 Merkle tree
integrator  gives dense positions and a signed checkpoint, at most 1 s later
checkpoint  C2SP tlog-checkpoint notes, Ed25519
verify      raises at the first thing that is wrong
audit_event FHIR AuditEvent

docs/implementation/journal.md explains the whole with its limits.
"""
