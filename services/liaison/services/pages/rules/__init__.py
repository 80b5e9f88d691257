"""Qui peut lire quoi: the decision table in force, in French, and what it means for whoever reads it."""
