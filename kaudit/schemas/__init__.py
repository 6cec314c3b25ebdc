"""JSON Schemas of what kaudit writes for other programs, one a file and version."""
