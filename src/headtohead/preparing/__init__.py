"""Preparation: how a case becomes what a model sees, in steps that have an inverse. NumPy, OpenCV and SciPy only."""
