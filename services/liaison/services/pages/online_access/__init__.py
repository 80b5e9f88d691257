"""Accès en ligne: staff record whom they have seen with a document, so that an administrator may open an account."""
