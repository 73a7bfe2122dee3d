# Your settings: README.md lists all of them. The command line and the environment come before what
# is set here, and what is not set at all, make finds out by itself.

# The emulator, if it is not qemu-system-i386 or qemu-system-x86_64, or not in your PATH.
# QEMU = $(HOME)/qemu/bin/qemu-system-i386

# What the names of compiler and binutils begin with, as in i686-elf-gcc and i686-elf-ld.
# GCCPREFIX = i686-elf-

# Another compiler.
# CC = clang

# How many CPUs the emulated machine has.
# CPUS = 4

# Show the commands that make runs.
# V = 1
