"""The renewal of devices' certificates."""
