"""The manufacturer's tools: a certificate authority, device credentials, revocation lists and QR labels.

They run without the rest of the project (beside its shared words in `lobby.names` and `lobby.wire`) on a machine
that may have no network at all. Only `pki.registration` and `pki.aws` speak with AWS.
"""
