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
