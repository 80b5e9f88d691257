"""Unusual accesses: written rules over the journal, what they found, its review, and the cases that a review opens.

A rule says that something is to be looked at, never that someone did wrong. What explains an access is looked for first.
"""
