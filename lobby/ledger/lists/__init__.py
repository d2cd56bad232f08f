"""Lists of devices and counts: filters, the choice of an index, and pages."""
