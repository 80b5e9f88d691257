"""The team of one person: who is in it, since when, on what basis, who stands in for whom; and inviting, and ending."""
