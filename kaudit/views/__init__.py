"""Views: the hard semantics, computed once from tables and shared by controls."""
