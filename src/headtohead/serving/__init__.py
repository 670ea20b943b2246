"""`--serve`: a page on this machine where an image or a volume is dropped and its mask looked at."""
