"""Pictures without a plotting library: lettering, outlines, brightness, sizes, plates, GIFs; tables on a terminal."""
