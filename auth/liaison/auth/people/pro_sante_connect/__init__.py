"""Signing in through Pro Santé Connect, the State's OpenID Connect provider for health professionals.

calls      HTTP to the provider's own addresses
provider   what it publishes: its addresses and its keys
request    the authorization request, bound to one browser (PKCE, state, nonce, PAR)
id_token   the proof of who someone is, and the notice that they are signed out there
identity   the professional and their exercices, as userinfo states them

It says who someone is. What they may do is what our directory says of them, and only as far as one of their exercices
still stands behind it.
"""
