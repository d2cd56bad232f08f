"""The manufacturer's tools: a certificate authority (CA), device credentials, revocation lists and QR labels.

From the rest of the project they import the vocabulary, the label codec and the lobby's checks of certificates
(`lobby.domain`). They run on a machine without a network; only `pki.registration` and `pki.lobby_account` call AWS.
"""
