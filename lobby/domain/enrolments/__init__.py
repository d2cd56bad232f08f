"""Enrolments: their rules, tokens and claim certificates, and which enrolment applies to a device."""
