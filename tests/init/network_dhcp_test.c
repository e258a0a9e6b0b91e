/* Addresses that others give: udhcpc with real servers, router advertisements. */
#include "network_world.h"

#include <limits.h>

static pid_t client; /* udhcpc, run as init's supervisor runs it */

#define NEEDS(program)                                                                             \
	do {                                                                                       \
		if (!holds("command -v " program)) {                                               \
			print_message("needs " program "\n");                                      \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* The program under test under the name that udhcpc calls it by. */
static void start_client(const char *interface)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char command[512];
	char *end_of_build;

	assert_true(len > 0);
	self[len] = '\0';
	end_of_build = strstr(self, "/tests/init/");
	assert_non_null(end_of_build);
	*end_of_build = '\0';
	MUST("ln -sf %s/hikyaku /run/dhcp-event", self);
	snprintf(
		command, sizeof(command),
		"udhcpc -f -i %s -s /run/dhcp-event -t 5 -T 1 -A 10 -O staticroutes -O mtu -O ntpsrv",
		interface);
	client = start(command);
}

static void must_want(const char *interface)
{
	const char *names[4];
	u32 count = network_dhcp_wanted(world_network, names, 4);

	assert_int_equal(count, interface ? 1 : 0);
	if (interface)
		assert_string_equal(names[0], interface);
}

static void must_name_time_server(const char *server)
{
	char names[4][NET_ADDRESS_TEXT_SIZE];

	assert_int_equal(network_time_servers(world_network, names, 4), server ? 1 : 0);
	if (server)
		assert_string_equal(names[0], server);
}

static void start_udhcpd(const char *more)
{
	int fd = open("/run/udhcpd.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "start 192.0.2.100\nend 192.0.2.100\ninterface p0\n"
			   "lease_file /run/udhcpd.leases\npidfile /run/udhcpd.pid\n"
			   "option subnet 255.255.255.0\noption router 192.0.2.1\n"
			   "option dns 192.0.2.53 192.0.2.54\noption domain dhcp.example\n"
			   "option ntpsrv 192.0.2.123\n%s\n",
			   more);

	assert_int_equal(write(fd, text, (size_t)len), len);
	close(fd);
	MUST("ip netns exec peer ip address add 192.0.2.1/24 dev p0; touch /run/udhcpd.leases");
	start("ip netns exec peer udhcpd -f /run/udhcpd.conf");
}

#define DHCP "interface \"eth0\" { method = dhcp ipv6 = off }\n"

static void a_lease_is_taken_kept_and_renewed(void **state)
{
	json_int_t lease_ms;

	(void)state;
	NEEDS_ROOT();
	NEEDS("udhcpc");
	NEEDS("udhcpd");
	start_udhcpd("option lease 600\noption mtu 1450");
	configure(DHCP);
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	run_for(100);
	must_want("eth0");
	start_client("eth0");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.100/24'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.100 "
	      "metric 200'");
	UNTIL("grep -q 'nameserver 192.0.2.54' /run/resolv.conf");
	MUST("grep -q 'search dhcp.example' /run/resolv.conf");
	UNTIL("ip link show eth0 | grep -q 'mtu 1450'");
	assert_string_equal(world_events, "deconfig bound ");
	assert_string_equal(json_string_value(shown("eth0", "method")), "dhcp");
	assert_string_equal(json_string_value(shown("eth0", "gateway")), "192.0.2.1");
	must_name_time_server("192.0.2.123");
	run_for(1500);
	lease_ms = json_integer_value(shown("eth0", "lease_ms"));
	assert_in_range(lease_ms, 500000, 599000);

	kill(client, SIGUSR1);
	while (!strstr(world_events, "renew"))
		turn(100);
	assert_true(json_integer_value(shown("eth0", "lease_ms")) > lease_ms);

	/* The client dies and is started anew: the address stays all the while. */
	end(client);
	start_client("eth0");
	while (!strstr(world_events, "renew deconfig bound")) {
		MUST("ip address show eth0 | grep -q 'inet 192.0.2.100/24'");
		turn(20);
	}
	configure("interface \"eth0\" { method = static ipv6 = off addresses = "
		  "{\"198.51.100.9/24\"} }\n");
	UNTIL("ip address show eth0 | grep -q 'inet 198.51.100.9/24'");
	UNTIL("! ip address show eth0 | grep -q 192.0.2.100");
	UNTIL("! ip route | grep -q default");
	UNTIL("ip link show eth0 | grep -q 'mtu 1500'");
	UNTIL("! grep -q nameserver /run/resolv.conf");
	must_want(NULL);
	must_name_time_server(NULL);
}

static void addresses_of_customers_stand_beside_a_lease(void **state)
{
	(void)state;
	NEEDS_ROOT();
	NEEDS("udhcpc");
	NEEDS("udhcpd");
	start_udhcpd("option lease 600");
	configure("resolvers = {\"198.51.100.53\"}\n"
		  "interface \"eth0\" { method = dhcp ipv6 = off addresses = {\"192.0.2.10/24\"} "
		  "}\n");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.10/24'");
	start_client("eth0");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.100/24'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 .*src 192.0.2.100'");
	MUST("ip address show eth0 | grep -q 'inet 192.0.2.10/24'");
	UNTIL("grep -q 'nameserver 198.51.100.53' /run/resolv.conf");
	MUST("! grep -q 192.0.2.53 /run/resolv.conf");
}

/* As cloud providers do it: an address alone, and the way to the router told by RFC 3442. */
static void routes_of_the_server_go_before_its_router(void **state)
{
	(void)state;
	NEEDS_ROOT();
	NEEDS("udhcpc");
	NEEDS("dnsmasq");
	MUST("ip netns exec peer ip address add 192.0.2.1/24 dev p0");
	start("ip netns exec peer dnsmasq -k -C /dev/null -i p0 --bind-interfaces -p 0 "
	      "-l /run/dnsmasq.leases -x /run/dnsmasq.pid -u root "
	      "--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,10m "
	      "--dhcp-option=option:router,192.0.2.1 --dhcp-option=option:dns-server,192.0.2.1 "
	      "--dhcp-option=121,10.0.0.0/8,192.0.2.3,0.0.0.0/0,192.0.2.2");
	configure(DHCP);
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	start_client("eth0");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.50/24'");
	UNTIL("ip route | grep -q '^default via 192.0.2.2 dev eth0 proto dhcp'");
	UNTIL("ip route | grep -q '^10.0.0.0/8 via 192.0.2.3 dev eth0 proto dhcp'");
	MUST("! ip route | grep -q 'via 192.0.2.1 '");
}

static void a_lease_that_nobody_renews_ends(void **state)
{
	struct error error = { "" };
	json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "command", "network.dhcp",
				    "event", "bound", "interface", "eth0", "ip", "192.0.2.77",
				    "mask", "24", "lease", "30");

	(void)state;
	NEEDS_ROOT();
	configure(DHCP);
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	run_for(100);
	assert_true(network_dhcp_event(world_network, request, now_ms(), &error));
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.77/24'");
	assert_in_range(network_next_ms(world_network), now_ms(), now_ms() + 30000);
	network_run(world_network, now_ms() + 29000);
	MUST("ip address show eth0 | grep -q 'inet 192.0.2.77/24'");
	network_run(world_network, now_ms() + 30001);
	MUST("! ip address show eth0 | grep -q 'inet 192.0.2.77/24'");
	json_decref(request);
}

static void events_that_nobody_wants_are_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"event\":\"bound\",\"interface\":\"eth0\",\"ip\":\"192.0.2.400\"}",
		"{\"event\":\"bound\",\"interface\":\"eth0\",\"ip\":\"127.0.0.1\"}",
		"{\"event\":\"bound\",\"interface\":\"eth0\",\"ip\":\"2001:db8::1\"}",
		"{\"event\":\"bound\",\"interface\":\"eth0\",\"ip\":7}",
		"{\"event\":\"bound\",\"interface\":\"eth0\"}",
		"{\"event\":\"bound\",\"interface\":\"eth1\",\"ip\":\"192.0.2.4\"}",
		"{\"event\":\"born\",\"interface\":\"eth0\",\"ip\":\"192.0.2.4\"}",
		"{\"interface\":\"eth0\"}",
		"{\"event\":\"bound\"}",
	};

	(void)state;
	NEEDS_ROOT();
	configure(DHCP);
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	run_for(100);
	for (size_t i = 0; i < array_count(wrong); i++) {
		json_t *request = json_loads(wrong[i], 0, NULL);
		struct error error = { "" };

		assert_non_null(request);
		assert_false(network_dhcp_event(world_network, request, now_ms(), &error));
		assert_true(slice_has_prefix(slice_of(error.text), SLICE("network.dhcp: ")));
		json_decref(request);
	}
	run_for(200);
	MUST("! ip -4 address show eth0 | grep -q inet");
}

#define AUTO "interface \"eth0\" { method = none ipv6 = auto }\n"

static void routers_give_addresses_where_they_are_listened_to(void **state)
{
	(void)state;
	NEEDS_ROOT();
	NEEDS("dnsmasq");
	MUST("ip netns exec peer ip address add 2001:db8:1::1/64 dev p0 nodad");
	start("ip netns exec peer dnsmasq -k -C /dev/null -i p0 --bind-interfaces "
	      "-l /run/dnsmasq.leases -x /run/dnsmasq.pid -u root --no-resolv --enable-ra "
	      "--dhcp-range=2001:db8:1::,ra-only,64,infinite "
	      "--dhcp-option=option6:dns-server,[2001:db8:1::53],[fe80::53]");
	configure(AUTO);
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8:1:0:5054:ff:fe00:1/64'");
	UNTIL("ip -6 route | grep -q '^default via fe80.* dev eth0 proto ra'");
	UNTIL("grep -q 'nameserver 2001:db8:1::53' /run/resolv.conf");
	MUST("grep -q 'nameserver fe80::53%%eth0' /run/resolv.conf");
	assert_string_equal(json_string_value(shown("eth0", "ipv6")), "auto");
	run_for(500);
	MUST("ip address show eth0 | grep -q 'inet6 2001:db8:1:0:5054:ff:fe00:1/64'");
	configure("interface \"eth0\" { method = none ipv6 = static addresses = "
		  "{\"2001:db8:1::25/64\"} gateway6 = \"2001:db8:1::1\" }\n");
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8:1::25/64'");
	UNTIL("! ip address show eth0 | grep -q 5054:ff:fe00:1/64.*global");
	UNTIL("! ip -6 route | grep -q 'proto ra'");
	UNTIL("ip -6 route | grep -q '^default via 2001:db8:1::1 dev eth0 proto static'");
	UNTIL("! grep -q nameserver /run/resolv.conf");
	configure("interface \"eth0\" { method = none ipv6 = off }\n");
	UNTIL("! ip address show eth0 | grep -q inet6");
	configure(AUTO);
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8:1:0:5054:ff:fe00:1/64'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
		TEST(a_lease_is_taken_kept_and_renewed),
		TEST(addresses_of_customers_stand_beside_a_lease),
		TEST(routes_of_the_server_go_before_its_router),
		TEST(a_lease_that_nobody_renews_ends),
		TEST(events_that_nobody_wants_are_refused),
		TEST(routers_give_addresses_where_they_are_listened_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
