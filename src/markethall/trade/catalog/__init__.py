"""What is for sale. An offer has a price set here, never by a caller."""
