"""Files of any kind in as scans, and values back into files on the same grid."""
