"""Webhooks: their settings, the log of requests, and events that were not delivered."""
