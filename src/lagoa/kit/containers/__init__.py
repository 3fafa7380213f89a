"""Files inside files: .gz, .zst and .bz2, and the members of .zip and .tar, unpacked as they are read."""
