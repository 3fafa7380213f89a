"""What the source `mysql` is made of."""
