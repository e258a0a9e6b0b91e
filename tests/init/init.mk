# Tests of init that run the program itself, for the top Makefile to include.

# udhcpc runs it as its dhcp-event.
$(BUILD)/tests/init/network_dhcp_test: | $(PROGRAM)
