"""Carnet partagé: the notes between a person's team and those close to them whom they have named, and the next visits."""
