"""How far a prediction may be trusted: maps of uncertainty, and inputs unlike the training data."""
