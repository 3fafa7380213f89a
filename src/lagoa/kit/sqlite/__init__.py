"""What the source `sqlite` is made of."""
