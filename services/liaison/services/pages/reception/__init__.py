"""Accueillir une personne: is she known? if not, her record is opened, with what she was told and who her team is."""
