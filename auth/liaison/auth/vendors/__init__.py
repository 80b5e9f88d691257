"""The life of a vendor's software, from its request to its end. One registration, activated organisation by organisation.

request_file  what a vendor hands in, and what is wrong with it
checking      the technical check: keys, addresses, scopes, as they would be served
requests      received, checked, approved by an administrator and by the DPO, registered
activations   for which organisations it is switched on
schema        the tables
life          new keys, suspension, yearly review, end; what it was refused lately

Nothing here is a right: what software may see is decided by scopes and by who uses it.
"""
