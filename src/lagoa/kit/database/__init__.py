"""What sources that are databases share: how a stream is declared, which columns land, what a cursor is."""
