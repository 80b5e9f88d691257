"""How long records are kept: what is due, legal holds, and destroying what is due. For the officer and administrators."""
