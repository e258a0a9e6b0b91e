# kill -9 at random moments, for the top Makefile to include.

RUNS ?= 1000

.PHONY: kill
kill: $(BUILD)/hikyaku bench-programs ## the sender killed RUNS (1000) times at random; every recipient accounted for
	$(Q)tests/crash/kill_run --kills $(RUNS) --verbose --program $(BUILD)/hikyaku
