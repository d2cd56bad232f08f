"""The bundle of an enrolment: the device client with a new claim certificate, for devices that have only Python."""
