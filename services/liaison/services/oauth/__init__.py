"""The authorization server over HTTP. What is decided is decided in liaison.auth.oauth2; here it is carried.

routes          every endpoint
token           /oauth/token
authorize       /oauth/authorize and the consent page
patients        which patient an authorization is about
consent         what a grant means, in plain words
discovery       /.well-known/…, /oauth/jwks
revocation      /oauth/revoke
answers         JSON answers and errors

Every absolute URL comes from LIAISON_PUBLIC_URL, never from the Host header.
"""
