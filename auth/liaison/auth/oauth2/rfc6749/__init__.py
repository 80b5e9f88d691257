"""The framework: https://www.rfc-editor.org/rfc/rfc6749, hardened by RFC 9700.

parameters             §3.1, §3.2: a parameter comes once
authorization_request  §4.1.1: what software asks for, and where the answer may go
grant                  what a person has agreed to: kept behind codes and refresh tokens
codes                  §4.1.3: a code lives 60 s, works once, and burns on the first failure
refresh_tokens         §6: rotating, in families; a token used twice ends its family
client_credentials     §4.4: SMART Backend Services

There is no implicit grant and no password grant.
"""
