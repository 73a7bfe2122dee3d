"""The tools: README.md says what is in which folder."""
