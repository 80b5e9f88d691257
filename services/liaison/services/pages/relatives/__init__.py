"""Proches: who is close to the person, how to reach them, and who represents them on what document."""
