# Kernels from the fragments of this folder, for the top Makefile to include. build/kernel/PROFILE is a
# link into the cache; `build` finds out whether anything changed.

.PHONY: kernel-test kernel-always
kernel-test: build/kernel/test ## the kernel of guests that test, with device mapper, netem and kernel TLS
	@sed 's/^/kernel    /' $</about

build/kernel/%: kernel-always
	$(Q)kernel-config/build $* $@
