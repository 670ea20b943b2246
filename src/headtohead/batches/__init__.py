"""From a cohort to what a model sees: the input recipe, splits, augmentation, the Lightning DataModule."""
