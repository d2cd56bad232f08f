"""The history of a device: its verification, and its export."""
