"""The OAuth 2.0 authorization server, one module an RFC. No HTTP here: liaison.services.oauth carries it.

errors    the closed list of OAuth errors (RFC 6749 §4.1.2.1, §5.2)
clients   what software is registered
keys      the keys that sign what we issue, sealed in the database (RFC 7517)
rfc6749   the authorization request, codes, client credentials
rfc6750   reading a bearer token: who is calling
rfc7009   revocation
rfc7517   a client's public keys, here or at its own address
rfc7523   private_key_jwt: who the client is
rfc7662   introspection
rfc7636   PKCE, S256 only, for every client
rfc9068   access tokens
rfc9126   pushed authorization requests
rfc8705   certificates: who a client is, and what a token is bound to
rfc8693   token exchange: Pro Santé Connect's tokens, and ours
rfc9440   the certificate, as the proxy tells it
rfc9449   DPoP: tokens bound to a key
confirmation  what a token is bound to (RFC 7800)
registration  what may be registered
rfc9207   the issuer in authorization responses

Beside them: authorizations (what a person has agreed to, and taking it back), id_token, sweep.

Asymmetric algorithms are named at every call: no library default is relied on, no algorithm is taken from a token.
Written on joserfc, because Authlib's server side is synchronous and refuses RS384 and ES384, which SMART requires.
"""
