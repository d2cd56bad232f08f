"""The manufacturer's tools: a certificate authority (CA), device credentials, revocation lists and QR labels.

Of the rest of the project they use only `lobby.names`, `lobby.errors` and `lobby.wire`. They run on a machine without
a network; only `pki.registration` and `pki.lobby_account` call AWS.
"""
