"""What the lobby reports: events of devices, notices, webhooks, and the activity log."""
