"""Sources: where facts are read. Each yields the events of :mod:`kaudit.source.events`."""
