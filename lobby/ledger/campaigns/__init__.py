"""Campaigns: their records, their lists of devices, and their results."""
