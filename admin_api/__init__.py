"""The operators' and technicians' side: a GraphQL API over the ledger, in one Lambda behind an HTTP API.

`handler` is the Lambda, `app` the web application, `schema` what may be asked; `roles` says who may ask what
and `failures` what a refusal looks like. It reads and writes the tables through `lobby.ledger` alone, and
there is no setting that lets anybody in without a token. Nothing is imported here.
"""
