# The measuring programs: build/bench/sink, inject, bare_client, sign_limit share no code with src/; those of
# one room each, and path, are linked with the library of the host's variant.
BENCH_DIR := build/bench
# Always the host's compiler: they measure, whatever the product is built with.
BENCH_CC := $(or $(HOST_CC),gcc)
BENCH_CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Werror
BENCH_SINK_SOURCES := $(wildcard bench/sink*.c)
BENCH_PROGRAMS := $(BENCH_DIR)/sink $(BENCH_DIR)/inject $(BENCH_DIR)/repeat $(BENCH_DIR)/nosync.so $(BENCH_DIR)/bare_client $(BENCH_DIR)/sign_limit

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS)

$(BENCH_DIR)/sink: $(BENCH_SINK_SOURCES) bench/sink.h
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $(BENCH_SINK_SOURCES) -luring -lssl -lcrypto

$(BENCH_DIR)/bare_client: bench/bare_client.c bench/bare_options.c bench/bare_tls.c bench/bare_client.h
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^) -luring -lssl -lcrypto

$(BENCH_DIR)/inject: bench/inject.c
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $< -lpthread

$(BENCH_DIR)/scgi_load: bench/scgi_load.c
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $<

$(BENCH_DIR)/repeat: bench/repeat.c
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $<

$(BENCH_DIR)/nosync.so: bench/nosync.c
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -fPIC -shared -o $@ $<

$(BENCH_DIR)/sign_limit: bench/sign_limit.c
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -o $@ $< -lcrypto -lpthread

# The product's own objects, as it is built.
$(BENCH_DIR)/dkim: bench/dkim.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^ -lcrypto -lpthread

$(BENCH_DIR)/compose: bench/compose.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc -o $@ $^ \
		-lcrypto -lidn2

$(BENCH_DIR)/smtp_client: bench/smtp_client.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^

$(BENCH_DIR)/store: bench/store.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^ -llmdb

$(BENCH_DIR)/segment: bench/segment.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^ -llmdb -lidn2 -lcrypto

$(BENCH_DIR)/csv: bench/csv.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^ -lidn2

$(BENCH_DIR)/path: bench/path.c build/host/libhikyaku.a
	@mkdir -p $(@D)
	$(BENCH_CC) $(BENCH_CFLAGS) -Isrc -o $@ $^ $(LIBS)

BENCH_PACKAGES := nsd valgrind openssl
build/.bench-packages: bench/bench.mk build/.build-packages
	$(call need,$(BENCH_PACKAGES))
	@touch $@

BENCH_ALL := build/host/hikyaku $(BENCH_PROGRAMS) $(BENCH_DIR)/path | build/.bench-packages
.PHONY: bench bench-quick bench-instructions bench-guest bench-appliance
bench: $(BENCH_ALL) ## every sender at the same job, half an hour alone: bench/RESULTS.md and results.svg
	bench/run-bench
bench-quick: $(BENCH_ALL) ## a subset in two minutes, into build/bench/quick/
	bench/run-bench --quick
bench-instructions: $(BENCH_DIR)/path | build/.bench-packages ## instructions a message, which no noise disturbs
	bench/instructions.py
bench-appliance: $(BENCH_PROGRAMS) image image-guest build/.machine-packages ## the appliance's start, memory and size
	$(Q)bench/appliance.py
bench-guest: build/host/hikyaku $(BENCH_PROGRAMS) build/kernel/test | build/.guest-packages ## kernel TLS and busy polling, in a guest
	bench/in_guest.py
