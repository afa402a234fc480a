"""Measures the program from the outside, through a real terminal, against its goals."""
