"""A manager's own people: she invites, suspends and ends those of her service, and hands out their first codes."""
