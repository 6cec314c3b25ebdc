"""Collectors: one file a system, found without registration elsewhere."""
