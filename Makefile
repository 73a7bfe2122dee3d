# Only for other makes than GNU make: GNU make reads GNUmakefile instead.

all .DEFAULT:
	@echo "This needs GNU make 3.81 or later, which may be called gmake." >&2; exit 1
