"""What a move does with the shadows of a device."""
