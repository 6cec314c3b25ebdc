"""Running other people's tools: no shell, no cluster credentials, bounded in time and size."""
