"""The airport guide."""
