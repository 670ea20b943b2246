"""From files on disk to cases: the readers of data sets, and the one reader and writer of volumes."""
