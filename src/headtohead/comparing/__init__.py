"""One experiment, and the grid of experiments of a comparison."""
