"""A trained model as a thing: what it expects, its weights in every form, what runs it, how it travels."""
