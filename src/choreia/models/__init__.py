"""The systems, one folder a paper."""
