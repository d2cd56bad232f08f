"""Devices in a transfer between two lobbies."""
