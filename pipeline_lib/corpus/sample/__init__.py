"""Invented clinical cases in seven languages, marked by hand: one ``marked/{lang}/{document}.txt`` each, and their manifest."""
