"""Which output keys of a query a change of its inputs touches, and the query for those keys alone; or why not."""
