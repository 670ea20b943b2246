"""What a net learns from: each loss a file and a row of `registry.LOSSES`. Scores are another thing: see `scoring`."""
