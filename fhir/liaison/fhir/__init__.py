"""The FHIR R4 engine: models, search, record store, vault, bundles, operations. No HTTP, no OAuth, no French law."""
