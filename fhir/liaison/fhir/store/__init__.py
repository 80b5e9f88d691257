"""The record store: encrypted versions of resources in PostgreSQL, read and written through one visible set."""

from liaison.fhir.store.store import Store

__all__ = ["Store"]
