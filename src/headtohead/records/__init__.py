"""YAML, JSON, CSV and arrays that somebody may have damaged or forged, read within bounds; what must be in them."""
