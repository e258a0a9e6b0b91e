# The sender with sanitizers, in which the n-th thing fails, for the top Makefile to include.

NTH := $(BUILD)/nth/hikyaku
NTH_OBJECTS := $(patsubst tests/nth/%.c,$(BUILD)/obj/nth/%.o,$(wildcard tests/nth/*.c))
NTH_WRAPPED := io_uring_submit io_uring_submit_and_get_events io_uring_submit_and_wait_timeout
NTH_WRAP := $(NTH_WRAPPED:%=-Wl,--wrap=%)

# What makes others fail must not be looked at by the sanitizers itself.
$(BUILD)/obj/nth/%.o: tests/nth/%.c Makefile | $(TOOLCHAIN) build/.build-packages
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -fno-sanitize=all -Itests -MMD -MP -c -o $@ $<

# Arithmetic of RSA signatures, without allocations or calls: under sanitizers it is most of a run's time.
NTH_LANES := $(BUILD)/obj/nth/rsa_lanes_ifma.o $(BUILD)/obj/nth/rsa_lanes_portable.o
$(NTH_LANES): $(BUILD)/obj/nth/%.o: src/dkim/%.c Makefile | $(TOOLCHAIN) build/.build-packages
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -O3 -Wno-psabi -fno-sanitize=all -MMD -MP -c -o $@ $<

$(NTH): $(BUILD)/obj/main.o $(LIBRARY) $(NTH_OBJECTS) $(NTH_LANES)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(NTH_WRAP) -o $@ $(BUILD)/obj/main.o $(NTH_OBJECTS) $(NTH_LANES) $(LIBRARY) $(LIBS)

-include $(NTH_OBJECTS:.o=.d) $(NTH_LANES:.o=.d)

.PHONY: nth-program nth nth-ready
nth-program: $(NTH)
nth-ready: bench-programs
	$(Q)$(MAKE) --no-print-directory VARIANT=san nth-program
	$(Q)$(MAKE) --no-print-directory VARIANT=host all
nth: nth-ready ## every allocation, system call and completion of a small campaign fails once (hours)
	$(Q)tests/nth/nth_run --all
