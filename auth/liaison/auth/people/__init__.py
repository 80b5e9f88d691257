"""The people who sign in.

hashes         passwords and PINs, as Argon2id hashes
accounts       who may sign in at all
invitations    a link by which the owner of a new account sets their secret, once
passwords      which ones are taken
sign_in        a name and a secret become an account, slowly for those who guess
second_factor  the codes of an app (totp), after the password
passkeys       two factors in one gesture, and no name
ceremonies     which browser is in the middle of what
pro_sante_connect  the State's provider: who someone is, never what they may do
roles          what the directory says a person is, now; one is chosen at sign-in
acting         an account in a role: the principals and the purpose of a session
browsers       browser sessions
devices        a browser in a few words
open_sessions  what a person has open, and ending one of it
recovery       two administrators, or the sealed code, let someone in who has lost everything
managers       what a manager may do with the people of her service
first_codes    the eight digits with which an aide chooses her first PIN
phones         phones enrolled by a service: the first factor of a PIN

Roles and rights come from the directory, never from the account. A person with two roles works in one at a time.
"""
