"""Skeletons, takes, and everything that is done to them without a model."""
