"""From files on disk to cases: one module and one row a kind of data, and the one reader and writer of volumes."""
