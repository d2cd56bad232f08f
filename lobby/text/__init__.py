"""Text that people type, scan, paste or export: labels and other notations of a fingerprint, and spreadsheets."""
