"""The sandbox: a complete synthetic territory on a database of its own, for integrators, tests and first looks."""
