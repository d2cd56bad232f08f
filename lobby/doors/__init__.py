"""The ways in which a device joins the lobby, one module per enrolment method."""
