"""The tests. support.py has their common code."""
