"""The registry of targets, and their comparisons with the ledger."""
