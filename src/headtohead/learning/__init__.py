"""The LightningModule, its loss and its schedules; checkpoints that load without running code."""
