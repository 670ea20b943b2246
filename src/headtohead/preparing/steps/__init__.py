"""The steps of preparation, one file each."""
