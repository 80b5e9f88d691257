"""The auditors' desk. It opens on questions; looking at the journal is itself in the journal."""
