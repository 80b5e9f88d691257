"""`liaison import`: records that another system kept, read from files as a stream (design §8).

sources    files, folders, .gz, NDJSON → groups of resources that may refer to each other
ledger     what came from where, so that a second run changes nothing
loader     a group → one transaction of the store
report     what was stored, what was not and why
"""
