"""The renewals of devices' certificates."""
