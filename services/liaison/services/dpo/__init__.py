"""The papers of the data protection officer (RGPD articles 26, 30, 35), written from what this installation is.

They are frames to complete: what only people can say is marked « à compléter », never invented. `docs/dpo/` holds them as they
are without an installation, and a test holds both together.
"""
