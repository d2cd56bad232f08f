"""The rows of the lanes, and forecasts for waiting devices."""
