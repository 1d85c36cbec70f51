"""Codebooks: continuous vectors to codes and back."""
