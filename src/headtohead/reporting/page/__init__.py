"""The report of a comparison as one page: no network, no second file, nothing recomputed."""
