"""Who is who: the identity of one record, and two records that may be of one person. For whoever receives people."""
