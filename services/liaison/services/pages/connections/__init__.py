"""What I have open, here and elsewhere, and the phones of my service."""
