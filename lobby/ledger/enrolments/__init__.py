"""Enrolments, their tokens and serial numbers, and the admissions that they cause."""
