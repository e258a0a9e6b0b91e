# Memory that is missing: the test's own malloc is asked first.
$(BUILD)/tests/delivery/worker_route_test: LDFLAGS += -Wl,--wrap=malloc
# A store without room, when the test says so.
$(BUILD)/tests/delivery/planner_sts_test: LDFLAGS += -Wl,--wrap=queue_setting_put,--wrap=queue_setting_get \
	-Wl,--wrap=queue_log_add,--wrap=queue_abort
# The same, when a notice is to be kept.
$(BUILD)/tests/delivery/planner_notice_test: LDFLAGS += -Wl,--wrap=queue_letter_put
# The same, in a recovery.
$(BUILD)/tests/delivery/planner_clock_test: LDFLAGS += -Wl,--wrap=queue_setting_put,--wrap=queue_grow
# All clocks are the test's, so that one seed is one day.
$(BUILD)/tests/delivery/planner_day_test: LDFLAGS += -Wl,--wrap=clock_mono_ns,--wrap=clock_wall_ms
# What receivers remember fades.
$(BUILD)/tests/delivery/day_test $(BUILD)/tests/delivery/planner_day_test: LIBS += -lm
