"""À contresigner: what trainees wrote under the responsibility of whoever is signed in, until it is verified (rule 9)."""
