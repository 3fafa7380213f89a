"""A made-up bank and its shop: every row a function of a seed and the row's number, so any size streams and repeats."""
