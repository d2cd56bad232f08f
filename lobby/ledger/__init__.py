"""The ledger (device registry): the only code that reads or writes the DynamoDB tables.

`models` defines the tables, `items` converts their rows. `store.Ledger` writes each event of a device as one
conditional transaction (`transaction`) with its history entry and the changed `counts`; `bulk` claims many devices at
once. `index_plan` and `listing` list devices without a scan; `overdue` finds those that wait too long. `targets` is the
registry of targets; `anchors` and `histories` verify the histories. `recount` and `anchoring` are upgrade commands.
"""
