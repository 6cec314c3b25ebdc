"""Evidence: a sealed, immutable bundle of tables, redacted raw records, provenance and gaps."""
