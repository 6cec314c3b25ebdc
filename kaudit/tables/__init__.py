"""Tables that collectors of several tools feed, one file a subject."""
