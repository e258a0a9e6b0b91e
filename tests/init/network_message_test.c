/* Messages of the kernel: what they say, and that none of them, whole or cut, leads astray. */
#include "init/network_message.h"

#include "base/net_address.h"
#include "base/text.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf out;

static int begin(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_done(&out);
	return 0;
}

static struct message read_back(void)
{
	struct slice bytes = buf_slice(&out);
	struct message message;

	assert_true(message_take(&bytes, &message));
	assert_int_equal(bytes.len, 0);
	return message;
}

static void a_vlan_is_read_with_its_parent(void **state)
{
	struct ifinfomsg head = { .ifi_index = 7, .ifi_type = 1, .ifi_flags = IFF_UP };
	size_t message = message_begin(&out, RTM_NEWLINK, 0, &head, sizeof(head));
	struct message got;
	size_t info;
	size_t data;

	(void)state;
	message_add_text(&out, IFLA_IFNAME, "eth0.10");
	message_add(&out, IFLA_ADDRESS, "\x52\x54\x00\x00\x00\x01", 6);
	message_add_u32(&out, IFLA_MTU, 1496);
	message_add_u32(&out, IFLA_LINK, 2);
	message_add(&out, 9999, "unknown", 7);
	info = message_nest(&out, IFLA_LINKINFO);
	message_add(&out, IFLA_INFO_KIND, "vlan", 4);
	data = message_nest(&out, IFLA_INFO_DATA);
	message_add(&out, IFLA_VLAN_ID, &(u16){ 10 }, 2);
	message_nest_end(&out, data);
	message_nest_end(&out, info);
	message_end(&out, message);
	message_set_sequence(&out, message, 42);
	got = read_back();
	assert_int_equal(got.kind, MESSAGE_LINK);
	assert_int_equal(got.sequence, 42);
	assert_int_equal(got.link.index, 7);
	assert_string_equal(got.link.name, "eth0.10");
	assert_string_equal(got.link.kind, "vlan");
	assert_memory_equal(got.link.mac, "\x52\x54\x00\x00\x00\x01", 6);
	assert_int_equal(got.link.mtu, 1496);
	assert_int_equal(got.link.parent, 2);
	assert_int_equal(got.link.vlan_id, 10);
}

static void name_servers_of_a_router_are_read(void **state)
{
	struct {
		struct nduseroptmsg head;
		u8 option[40];
	} content = { .head = { .nduseropt_family = AF_INET6,
				.nduseropt_opts_len = 40,
				.nduseropt_ifindex = 3 },
		      .option = { 25, 5, 0, 0, 0, 0, 14, 16, [8] = 0x20, 0x01, 0x0d, 0xb8, [23] = 0x53,
				  [24] = 0xfe, 0x80, [39] = 1 } };
	struct message got;
	char text[NET_ADDRESS_TEXT_SIZE];

	(void)state;
	message_end(&out, message_begin(&out, RTM_NEWNDUSEROPT, 0, &content, sizeof(content)));
	got = read_back();
	assert_int_equal(got.kind, MESSAGE_ADVERTISED);
	assert_int_equal(got.advertised.count, 2);
	assert_int_equal(got.advertised.items[0].lifetime_s, 14 * 256 + 16);
	net_address_format(text, &got.advertised.items[0].address, false);
	assert_string_equal(text, "2001:db8::53");
	net_address_format(text, &got.advertised.items[1].address, false);
	assert_string_equal(text, "fe80::1");
	/* Another option, and one that says to be longer than it is. */
	buf_reset(&out);
	content.option[0] = 31;
	message_end(&out, message_begin(&out, RTM_NEWNDUSEROPT, 0, &content, sizeof(content)));
	assert_int_equal(read_back().kind, MESSAGE_OTHER);
	buf_reset(&out);
	content.option[0] = 25;
	content.option[1] = 255;
	message_end(&out, message_begin(&out, RTM_NEWNDUSEROPT, 0, &content, sizeof(content)));
	got = read_back();
	assert_int_equal(got.advertised.count, 2);
}

static void refusals_have_their_reason(void **state)
{
	struct nlmsgerr refusal = { .error = -17 };
	struct message got;

	(void)state;
	message_end(&out, message_begin(&out, NLMSG_ERROR, 0, &refusal, sizeof(refusal)));
	got = read_back();
	assert_int_equal(got.kind, MESSAGE_ACK);
	assert_int_equal(got.code, 17);
}

/* Everything that the kernel of this host tells of its network. */
static void ask_all(void)
{
	static const u16 types[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct buf request;
	static char bytes[65536];

	assert_true(fd >= 0);
	for (size_t i = 0; i < array_count(types); i++) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		bool done = false;

		buf_init(&request, 256);
		message_dump(&request, types[i]);
		assert_int_equal(send(fd, request.ptr, request.len, 0), request.len);
		buf_done(&request);
		while (!done && poll(&ready, 1, 5000) == 1) {
			ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
			struct slice rest = { bytes, got > 0 ? (size_t)got : 0 };
			struct message message;

			buf_add(&out, bytes, rest.len);
			while (message_take(&rest, &message))
				done = done || message.kind == MESSAGE_DONE;
		}
		assert_true(done);
	}
	close(fd);
}

static void what_the_kernel_tells_is_understood(void **state)
{
	u32 kinds[MESSAGE_ACK + 1] = { 0 };
	struct slice rest;
	struct message message;
	bool loopback = false;

	(void)state;
	ask_all();
	rest = buf_slice(&out);
	while (message_take(&rest, &message)) {
		kinds[message.kind]++;
		loopback = loopback || (message.kind == MESSAGE_LINK &&
					strcmp(message.link.name, "lo") == 0 &&
					(message.link.flags & IFF_LOOPBACK));
	}
	assert_int_equal(rest.len, 0);
	assert_int_equal(kinds[MESSAGE_DONE], 4);
	assert_true(loopback);
	assert_true(kinds[MESSAGE_RULE] >= 2);
}

/* Copies of exactly the length, so that a sanitizer sees each step beside them. */
static void cut_and_changed_messages_lead_nowhere(void **state)
{
	u32 seed = 7;
	size_t whole;

	(void)state;
	ask_all();
	whole = min_size(out.len, 6000);
	for (size_t len = 0; len <= whole; len += 1 + len / 64) {
		char *copy = malloc(len + 1);
		struct slice rest = { copy, len };
		struct message message;

		assert_non_null(copy);
		memcpy(copy, out.ptr, len);
		for (u32 i = 0; len > 0 && i < len / 40; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % len] = (char)(seed >> 3);
		}
		while (message_take(&rest, &message))
			assert_true(rest.len < len);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(a_vlan_is_read_with_its_parent),
		TEST(name_servers_of_a_router_are_read),
		TEST(refusals_have_their_reason),
		TEST(what_the_kernel_tells_is_understood),
		TEST(cut_and_changed_messages_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
