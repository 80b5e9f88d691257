"""The FHIR API over HTTP: what HTTP adds to the engine (negotiation, limits, headers, logs), and nothing else."""
