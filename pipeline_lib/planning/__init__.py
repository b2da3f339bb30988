"""What a run will take before it starts: a few documents go through the stages' own functions, and the corpus is so many times as much."""
