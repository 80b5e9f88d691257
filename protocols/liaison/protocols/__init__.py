"""Chronic-disease protocols: applying them, their calendar, their alerts, and the library, written as FHIR in YAML."""
