"""The connections of devices, and evidence of copied certificates."""
