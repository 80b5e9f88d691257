"""Who is calling and what they may see: identities, OAuth2/SMART, grants, consent, and the access journal."""
