"""What is written of a prediction: masks and products, panels and previews, the summary, and what is ours."""
