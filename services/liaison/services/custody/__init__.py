"""Custody of the base: backups, restores, what must survive the database, and what `doctor` looks at.

archive   a backup: one snapshot of our tables, signed; no key in clear, no session
outside   what a backup cannot know: erasures, oppositions and revocations made after it, kept in files
in_force  secrets and keys in force, by fingerprint: a restored base forgets the others
replay    puts these back into a restored base, before it serves
restore   an empty base from a backup
drill     a backup restored elsewhere and checked
papers    what `init` was told, and when backups were made and tried
retaining records whose time is over: the plan, and their destruction
founding  a new installation and its first administrator
shares    the key in sealed envelopes
checks    what `liaison doctor` says
"""
