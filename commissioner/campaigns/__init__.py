"""Campaigns: the feeder, which carries them out a page at a time, and its triggers.

The feeder changes devices in the ledger only. The lanes do the work in targets, after single claims.
"""
