"""Réunions d'équipe: who was present, whose situation was discussed, what was decided and who does it."""
