"""A visible training loop that knows no paper."""
