"""The sweeper's checks of interrupted and forgotten work: lanes, standbys, transferred devices and refused devices."""
