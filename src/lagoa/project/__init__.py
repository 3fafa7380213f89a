"""A folder of files becomes a validated Project and its Graph of tables."""
