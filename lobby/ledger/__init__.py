"""The ledger (device registry): the only code that reads or writes the DynamoDB tables.

`models` defines the tables, `items` converts their rows. `store.Ledger` writes each event of a device as one
conditional transaction (`transaction`) with its history entry, the changed `counts`, and on admission the certificate
(`certificates`); `bulk` claims many devices together. `listing` lists devices without a scan: `selectivity` chooses an
index of `index_plan`, `page_reads` reads a page. `overdue` finds devices that wait too long. `targets` is the registry
of targets; `anchors` and `histories` verify the histories. `recount` and `anchoring` are upgrade commands.
"""
