"""Tools that run on the host. README.md lists the folders."""
