"""The tests, and what they have in common (support.py)."""
