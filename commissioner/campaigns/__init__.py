"""Campaigns: the feeder, which carries them out a page at a time, and its triggers.

The feeder changes devices only in the ledger. The lanes do the work in targets, after single claims.
"""
