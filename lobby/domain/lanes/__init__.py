"""Lanes: the queue of each target, the pace of its worker, and the forecast for waiting devices."""
