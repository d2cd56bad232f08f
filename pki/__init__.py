"""The manufacturer's tools: a certificate authority (CA), device credentials, revocation lists and QR labels.

`ca` is the certificate authority, `devices` creates credentials, `labels` prints labels, `lobby_account` changes a
lobby's account, and `commands` are the commands of `lobby-pki`. From the rest of the project they import the vocabulary
and the lobby's checks of certificates (`lobby.domain`). They run on a machine without a network; only
`pki.lobby_account.registration` and `pki.lobby_account.account` call AWS.
"""
