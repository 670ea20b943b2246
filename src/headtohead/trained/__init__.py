"""A trained model: what it expects, its weights in every form, the engines that run it, and its export."""
