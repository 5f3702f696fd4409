"""What files of others become: bytes in, bytes out, or CannotEditError. Pure."""
