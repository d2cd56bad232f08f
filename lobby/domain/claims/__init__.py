"""Claims: what they leave open, how many a technician may make, and claims by serial number."""
