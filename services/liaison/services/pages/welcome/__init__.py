"""The front page of a sandbox, *Territoire de démonstration*: a door per role, and ten minutes of things to try behind it."""
