"""Files that somebody may have damaged or forged, read within bounds (YAML, JSON, CSV, arrays), and what they must say."""
