"""What correlations join: one file a layer, found without registration elsewhere."""
