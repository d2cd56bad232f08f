"""The credentials of devices: the devices to create, their certificates on disk, and the manifest for the operator."""
