"""Takes from and to files; `read` and `write` choose by suffix."""
