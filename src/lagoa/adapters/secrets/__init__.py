"""Secret stores: where a secret may live."""
