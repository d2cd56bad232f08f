"""The record of every device: the only code that reads or writes the tables.

`states` and `decisions` say what may happen (pure); `models` says how it is kept; `store.Ledger` makes each
transition one conditional transaction (`transaction`) with its history entry and what it changes in the `counts`;
`bulk` claims many at once. `questions` and `listing` answer what is asked of many devices without a scan; `targets`
keeps the accounts and Regions that devices may be sent to. `recount` is for a ledger that is older than the counts.
"""
