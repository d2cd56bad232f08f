"""Measures an evacuation: see `__main__`."""
