"""Run by Alembic. The connection comes from `migrate`, within its transaction; there is no alembic.ini."""

from alembic import context

import liaison.auth.schema  # noqa: F401  # its tables join the same metadata
from liaison.fhir.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
