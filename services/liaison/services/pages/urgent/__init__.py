"""Emergency access, for the roles that have it: from an identity and a reason to the person's pages, for four hours."""
