"""The ledger (device registry): the only code that reads or writes the DynamoDB tables.

`models` defines the tables, `items` converts their rows. `store.Ledger` writes each event of a device as one
conditional transaction (`transaction`) with its history entry, the changed counts, and on admission the certificate
(`certificates`); `bulk` claims many devices together. Each folder has the rows of one subject: `lists` reads devices
without a scan and counts them, `targets` is the registry of targets, `histories` has the anchors. `recount` and
`anchoring` are upgrade commands.
"""
