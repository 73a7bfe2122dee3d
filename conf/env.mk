# Your settings. docs/make.md lists all settings. A value on make's command line or in the environment
# overrides the value here. Settings without a value have defaults.

# QEMU, if it is not called qemu-system-i386 or qemu-system-x86_64, or is not in your PATH.
# QEMU = $(HOME)/qemu/bin/qemu-system-i386

# The prefix of the compiler and the binutils, as in i686-elf-gcc and i686-elf-ld.
# GCCPREFIX = i686-elf-

# Another compiler.
# CC = clang

# The number of CPUs of the emulated machine.
# CPUS = 4

# Print each command that make runs.
# V = 1
