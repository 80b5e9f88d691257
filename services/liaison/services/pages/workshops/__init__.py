"""Séances: the sessions of an education programme, from the list to who came."""
