"""The second factor: asked for at sign-in, asked for again before a grave act, and set up by each person for themselves."""
