"""The authorization server over HTTP. What is decided is decided in liaison.auth.oauth2; here it is carried.

routes          every endpoint
token           /oauth/token
pushing         /oauth/par
authorize       /oauth/authorize and what the person answers
asking          the pages that put a request before a person
patients        which patient an authorization is about
consent         what a grant means, in plain words
discovery       /.well-known/…, /oauth/jwks
revocation      /oauth/revoke
introspection   /oauth/introspect
userinfo        /oauth/userinfo
logout          /oauth/logout
cors            which pages of elsewhere may read the answers
answers         JSON answers and errors

Every absolute URL comes from LIAISON_PUBLIC_URL, never from the Host header.
"""
