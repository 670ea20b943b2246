"""Trained models put to work: images in; masks, probabilities and panels out."""
