"""« À vérifier »: visits that came from a telephone and could not be put into the record by themselves."""
