"""The admin API: a GraphQL API over the device ledger for operators and technicians, and the console's files.

One Lambda behind an API Gateway HTTP API (`handler`). `roles` lists the operations and who may call them, `failures`
maps errors to responses. `graphql` has the types and resolvers, `operations` what they do, and `web` the HTTP
application, access tokens and pages. It reads and writes tables only through `lobby.ledger`. No setting disables
authentication.
"""
