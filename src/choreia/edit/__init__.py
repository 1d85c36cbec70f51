"""A dance is edited like a score: regions, operations on them, seams, and the history of what was done."""
