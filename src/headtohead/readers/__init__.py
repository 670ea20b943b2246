"""From the files of a data set to cases: one module and one row a kind of data."""
