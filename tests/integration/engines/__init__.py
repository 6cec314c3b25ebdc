"""Real programs for the tests: pinned, built from their released modules, kept in a cache."""
