"""Seeded synthetic songs and dances with exact labels."""
