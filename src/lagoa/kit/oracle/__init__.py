"""What the source `oracle` is made of."""
