"""`liaison import`: records that another system kept, read from files as a stream (design §8).

sources    files, folders, .gz, NDJSON → groups of resources that may refer to each other
ledger     what came from where, so that a second run changes nothing
loads      parts → what one process reads and stores at a time
said       which loads must not be stored at the same time
team       several processes, and whose turn it is
member     one of them
loader     a group → one transaction of the store
alone      one import of a source at a time
report     what was stored, what was not and why
"""
