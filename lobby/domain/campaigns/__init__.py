"""Campaigns: one operation on many devices, with its states, pages, progress and transitions."""
