"""Real takes to training shards."""
