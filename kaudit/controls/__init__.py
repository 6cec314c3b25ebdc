"""Controls: one function each, split by topic."""
