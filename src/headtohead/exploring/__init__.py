"""`--explore`: what a data set holds, before any model sees it."""
