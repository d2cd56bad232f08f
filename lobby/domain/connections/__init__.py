"""The connections of devices: connection problems, copied certificates, and quarantine."""
