"""Pictures without a plotting library: lettering, outlines, brightness, sizes, plates of cases, GIFs."""
