"""Files that somebody may have damaged or forged, read within bounds: YAML, JSON and CSV, and what must be in them."""
