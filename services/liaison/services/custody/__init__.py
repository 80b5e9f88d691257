"""Custody of the base: backups, restores, what must survive the database, and what `doctor` looks at.

archive   a backup: one snapshot of our tables, signed; no key in clear, no session
outside   what a backup cannot know: erasures, oppositions and revocations made after it, kept in files
replay    puts these back into a restored base, before it serves
restore   an empty base from a backup
drill     a backup restored elsewhere and checked
checks    what `liaison doctor` says
"""
