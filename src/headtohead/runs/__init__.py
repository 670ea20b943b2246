"""What a training leaves on disk: the run folder, and the ledger of a comparison read from its run folders."""
