"""The people who sign in.

hashes     passwords and PINs, as Argon2id hashes
accounts   who may sign in at all
sign_in    a name and a secret become an account, slowly for those who guess
roles      what the directory says a person is, now; one is chosen at sign-in
acting     an account in a role: the principals and the purpose of a session
browsers   browser sessions
phones     phones enrolled by a service: the first factor of a PIN

Roles and rights come from the directory, never from the account. A person with two roles works in one at a time.
"""
