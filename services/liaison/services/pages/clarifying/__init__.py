"""Questions sur mes accès: what a reviewer asks of whoever opened an access, answered where they work."""
