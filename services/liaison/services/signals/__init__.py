"""Signals at work: whose plans have some, what has come in or stays away, and the alert that follows, once.

`watching` knows whose record to look at, `adoption` which signals are on, `telling` looks at one record and raises alerts;
the job liaison.services.jobs.signalling goes over them.
"""
