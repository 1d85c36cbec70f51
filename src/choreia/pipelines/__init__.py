"""Tables of contents of what the commands do."""
