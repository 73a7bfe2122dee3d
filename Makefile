# For a make that is not GNU make: GNU make reads GNUmakefile instead of this.

all .DEFAULT:
	@echo "This needs GNU make 3.81 or later, which may be called gmake." >&2; exit 1
