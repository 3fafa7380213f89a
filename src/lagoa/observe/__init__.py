"""Events, and what is drawn from them: log, history, progress."""
