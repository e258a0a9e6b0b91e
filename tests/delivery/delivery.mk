# Memory that is missing: the test's own malloc is asked first.
$(BUILD)/tests/delivery/worker_route_test: LDFLAGS += -Wl,--wrap=malloc
