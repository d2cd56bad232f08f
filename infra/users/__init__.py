"""The users of the API: their pool, groups and initial passwords."""
