"""Standby targets, evacuation and return."""
