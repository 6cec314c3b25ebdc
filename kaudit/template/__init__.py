"""How reports look: one HTML page, one PDF, both from the blocks of an executed notebook."""
