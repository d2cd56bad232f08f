"""CloudWatch alarms, and notices by e-mail."""
