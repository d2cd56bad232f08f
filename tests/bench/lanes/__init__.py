"""Measures how claims are carried out under AWS's quotas: today's lanes, and the commissioner of an earlier commit."""
