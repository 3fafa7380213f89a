"""Text of fixed width: each column at its place in the line, as mainframes and banks write it."""
