"""The record of every device: the only code that reads or writes the tables.

`states` and `decisions` say what may happen (pure); `models` says how it is kept; `store.Ledger` makes each
transition one conditional transaction with its history entry; `listing` answers questions without a scan;
`targets` keeps the accounts and Regions that devices may be sent to.
"""
