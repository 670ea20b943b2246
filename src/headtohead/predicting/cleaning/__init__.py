"""Masks cleaned in named steps, on the grid of their file."""
