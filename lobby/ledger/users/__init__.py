"""Users: blocked users, and the counts of their claims."""
