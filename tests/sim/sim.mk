# The simulator: the real planner, workers, sessions and store, linked over a seeded network, clock and
# resolver instead of io/ring.c, base/clock.c and dns/resolver.c.

SIM := $(BUILD)/tests/sim/sim
SIM_OBJECTS := $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(wildcard tests/sim/*.c))
SIM_ROOMS := base store metrics smtp dkim message delivery
SIM_REPLACED := src/base/clock.c src/delivery/worker_thread.c src/metrics/responder.c src/metrics/http_head.c \
	$(wildcard src/delivery/identity_check*.c)
SIM_REAL := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(filter-out $(SIM_REPLACED),\
	$(foreach room,$(SIM_ROOMS),$(wildcard src/$(room)/*.c)) \
	src/io/conn.c src/io/timer.c src/io/tls.c src/io/tls_kernel.c src/io/tls_proof.c src/io/cipher.c \
	src/dns/mx_select.c src/dns/mx_config.c src/dns/mx_name.c src/dns/mx_cache.c src/dns/dane.c src/dns/mta_sts.c src/dns/tlsrpt.c src/dns/sts_fetch.c))
SIM_WRAPPED := random_bytes journal_open worker_give worker_take_back queue_commit queue_row_put queue_row_move \
	queue_log_add queue_campaign_put
SIM_WRAP := $(SIM_WRAPPED:%=-Wl,--wrap=%)
SEEDS ?= 2000

$(BUILD)/obj/tests/sim/%.o: tests/sim/%.c | $(TOOLCHAIN) build/.build-packages
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(SIM): $(SIM_OBJECTS) $(SIM_REAL)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(SIM_WRAP) -o $@ $^ $(LIBS)

-include $(SIM_OBJECTS:.o=.d)

.PHONY: sim sim-program
sim-program: $(SIM)
sim: sim-program ## the deterministic simulator over SEEDS (2000) seeds
	$(Q)SEEDS=$(SEEDS) tests/sim/run
	$(Q)SEEDS=12 tests/sim/same
