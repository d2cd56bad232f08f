"""Compares the targets with the ledger: every target once a day by lists (`daily_round`, `target_comparison`), or on
request device by device (`by_device`). `comparison` has the rules. `renewal_round` finds certificates to renew."""
