"""The doors (enrolment methods): the ways in which a device joins the lobby, one module each."""
