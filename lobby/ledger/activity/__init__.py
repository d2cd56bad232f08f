"""The activity log: decisions about all devices, by user and by target."""
