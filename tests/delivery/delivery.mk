# Memory that is missing: the test's own malloc is asked first.
$(BUILD)/tests/delivery/worker_route_test: LDFLAGS += -Wl,--wrap=malloc
# A store without room, when the test says so.
$(BUILD)/tests/delivery/planner_sts_test: LDFLAGS += -Wl,--wrap=queue_setting_put,--wrap=queue_setting_get \
	-Wl,--wrap=queue_log_add,--wrap=queue_abort
