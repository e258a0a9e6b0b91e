# Tests of init that run programs, for the top Makefile to include.

# udhcpc runs it as its dhcp-event.
$(BUILD)/tests/init/network_dhcp_test: | $(PROGRAM)

# What guests run (tests/appliance/test_volume.py, test_network.py).
ifeq ($(VARIANT),host)
image-test: $(BUILD)/tests/init/volume_many $(BUILD)/tests/init/network_many
endif
