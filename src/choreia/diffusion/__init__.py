"""Schedules, samplers, guidance and constraints as plain functions."""
