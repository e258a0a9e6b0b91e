# Kernels from the fragments of this folder, for the top Makefile to include. build/kernel/PROFILE is a
# link into the cache; `build` finds out whether anything changed.

.PHONY: kernel-test kernel-guest kernel-metal kernel-always
kernel-test: build/kernel/test ## the kernel of guests that test, with device mapper, netem and kernel TLS
	@sed 's/^/kernel    /' $</about

kernel-guest: build/kernel/guest ## the kernel of the image in a virtual machine: virtio only, quick to build
	@sed 's/^/kernel    /' $</about

kernel-metal: build/kernel/metal ## the kernel that is shipped: drivers of servers and clouds; takes an hour, once
	@sed 's/^/kernel    /' $</about

build/kernel/%: kernel-always
	$(Q)kernel-config/build $* $@
