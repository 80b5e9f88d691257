"""Lettres à envoyer: what a person is to be told of an access, when no account and no address of theirs tells them."""
