"""Excel workbooks: typed cells, exact, each row with its sheet and number; cells with errors are never silent."""
