"""Targets: what is registered in a target's account and Region for a device, and comparisons with the ledger."""
