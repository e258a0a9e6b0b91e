# A kernel that answers as the test says.
$(BUILD)/tests/io/conn_kernel_test: LDFLAGS += -Wl,--wrap=ring_set_option
