"""Patches that make the MiniStack emulator behave as AWS does, one module per difference."""
