# kill -9 at random moments, for the top Makefile to include.

RUNS ?= 1000

.PHONY: kill
kill: $(BUILD)/hikyaku bench-programs ## the sender killed RUNS (1000) times at random; every recipient accounted for
	$(Q)tests/crash/kill_run --kills $(RUNS) --verbose --program $(BUILD)/hikyaku

# Built by the host's compiler whatever the variant: it is loaded into the host's program.
build/crash/power_shim.so: tests/crash/power_shim.c
	@mkdir -p $(@D)
	$(or $(HOST_CC),gcc) -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fPIC -shared -o $@ $<

.PHONY: power
power: build/host/hikyaku build/crash/power_shim.so bench-programs ## the power cut RUNS (1000) times at random, by a shim below the file calls
	$(Q)tests/crash/kill_run --power --kills $(RUNS) --verbose --program build/host/hikyaku

# What a guest needs besides the tests' packages.
GUEST_PACKAGES := qemu-system-x86 busybox-static e2fsprogs lmdb-utils
build/.guest-packages: tests/crash/crash.mk build/.build-packages
	$(call need,$(GUEST_PACKAGES))
	@touch $@

.PHONY: power-guest
power-guest: build/host/hikyaku bench-programs build/kernel/test | build/.guest-packages ## the power cut RUNS (1000) times in the block layer, in a guest
	$(Q)tests/crash/guest_run --cuts $(RUNS) --kills $$(($(RUNS) / 10)) --recordings $$((($(RUNS) + 99) / 100))
