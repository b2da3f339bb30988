"""Transformer encoders: where they come from, and how a text of any length becomes one vector a unit."""
