"""Standby targets: their registration, evacuation, return and routes."""
