"""« La personne s'oppose »: what stops is said in advance, it counts at once, a professional confirms it, and it can be
withdrawn. Masking of one item is recorded the same way."""
