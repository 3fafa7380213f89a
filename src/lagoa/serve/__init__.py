"""People read the lake: queries and exports."""
