"""The transfer of devices between two lobbies."""
