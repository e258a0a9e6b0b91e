/* The network of init among real links: what is configured comes to be, and what is not goes. */
#include "init/network_private.h"
#include "network_world.h"

#define STATIC                                                                                     \
	"interface \"eth0\" { method = static ipv6 = static\n"                                     \
	"addresses = {\"192.0.2.10/24\", \"192.0.2.11/24\", \"203.0.113.7/32\", "                  \
	"\"2001:db8::10/64\", \"2001:db8::11/64\"}\n"                                              \
	"gateway = \"192.0.2.1\" gateway6 = \"2001:db8::1\" mtu = 1400 }\n"

static void links_are_up_before_anything_is_configured(void **state)
{
	(void)state;
	NEEDS_ROOT();
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	UNTIL("ip link show eth1 | grep -q 'state UP'");
	UNTIL("ip address show lo | grep -q 'inet 127.0.0.1/8'");
	run_for(300);
	MUST("! ip address show | grep 'inet ' | grep -v 127.0.0.1");
	MUST("! ip route | grep .");
	assert_int_equal(network_dhcp_wanted(world_network, &(const char *){ NULL }, 1), 0);
	configure("interface \"eth0\" { method = none ipv6 = off }\n");
	UNTIL("ip link show eth1 | grep -q 'state DOWN'");
	UNTIL("! ip address show eth0 | grep -q inet");
}

static void each_customer_has_an_address(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure(STATIC);
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.10/24 brd 192.0.2.255'");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.11/24'");
	UNTIL("ip address show eth0 | grep -q 'inet 203.0.113.7/32'");
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8::10/64'");
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8::11/64'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 dev eth0 proto static src 192.0.2.10 "
	      "metric 100'");
	UNTIL("ip -6 route | grep -q '^default via 2001:db8::1 dev eth0 proto static metric 100'");
	UNTIL("ip link show eth0 | grep -q 'mtu 1400.*state UP'");
	UNTIL("ip address show lo | grep -q 'inet 127.0.0.1/8'");
	UNTIL("ip link show eth1 | grep -q 'state DOWN'");
	assert_true(network_is_up(world_network));
	MUST("grep -q 0 /proc/sys/net/ipv6/conf/eth0/accept_ra");
	MUST("ip netns exec peer ip address add 192.0.2.1/24 dev p0");
	MUST("bash -c 'echo x >/dev/udp/192.0.2.1/9'");
	UNTIL("ip neigh show 192.0.2.1 | grep -q lladdr");
	/* Nothing is asked for when everything is there. */
	run_for(1500);
	u32 before = world_network->attempts.sequence;
	run_for(2000);
	assert_int_equal(world_network->attempts.sequence, before);
}

static void what_is_no_longer_configured_goes(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure(STATIC);
	UNTIL("ip -6 route | grep -q '^default via 2001:db8::1'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1'");
	configure("interface \"eth0\" { method = static ipv6 = off "
		  "addresses = {\"192.0.2.11/24\", \"198.51.100.5/25\"} "
		  "gateway = \"198.51.100.1\" }\n");
	UNTIL("ip route | grep -q '^default via 198.51.100.1 dev eth0 proto static src 192.0.2.11'");
	UNTIL("! ip address show eth0 | grep -q '192.0.2.10/'");
	UNTIL("! ip address show eth0 | grep -q '203.0.113.7'");
	UNTIL("! ip address show eth0 | grep -q inet6");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.11/24'");
	UNTIL("ip address show eth0 | grep -q 'inet 198.51.100.5/25'");
	UNTIL("! ip route | grep -q 'via 192.0.2.1 '");
	UNTIL("! ip -6 route | grep -q default");
	UNTIL("ip link show eth0 | grep -q 'mtu 1500'");
	configure("interface \"eth1\" { method = static ipv6 = off addresses = {\"192.0.2.11/24\"} "
		  "}\n");
	UNTIL("ip address show eth1 | grep -q 'inet 192.0.2.11/24'");
	UNTIL("! ip address show eth0 | grep -q inet");
	UNTIL("ip link show eth0 | grep -q 'state DOWN'");
	UNTIL("! ip route | grep -q default");
}

static void what_somebody_else_changes_is_mended(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure(STATIC);
	UNTIL("ip route | grep -q '^default via 192.0.2.1'");
	MUST("ip address del 192.0.2.10/24 dev eth0");
	MUST("ip address add 192.0.2.99/24 dev eth0");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.10/24'");
	UNTIL("! ip address show eth0 | grep -q 192.0.2.99");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 .*src 192.0.2.10'");
	MUST("ip link set eth0 down");
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8::10/64'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1'");
	UNTIL("ip -6 route | grep -q '^default via 2001:db8::1'");
	MUST("ip route del default");
	UNTIL("ip route | grep -q '^default via 192.0.2.1'");
}

static void a_gateway_outside_of_all_networks_is_on_the_link(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure("interface \"eth0\" { method = static ipv6 = static "
		  "addresses = {\"192.0.2.10/32\", \"2001:db8::2/128\"} "
		  "gateway = \"198.51.100.1\" gateway6 = \"2001:db9::1\" }\n");
	UNTIL("ip route | grep -q '^default via 198.51.100.1 dev eth0 .*onlink'");
	UNTIL("ip -6 route | grep -q '^default via 2001:db9::1 dev eth0 .*onlink'");
	configure("interface \"eth0\" { method = none ipv6 = static "
		  "addresses = {\"2001:db8::2/64\"} gateway6 = \"fe80::1\" }\n");
	UNTIL("ip -6 route | grep -q '^default via fe80::1 dev eth0 proto static'");
	UNTIL("! ip route | grep -q default");
}

static void two_ways_out_have_an_order(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure("interface \"eth1\" { method = static ipv6 = off addresses = {\"198.51.100.9/24\"} "
		  "gateway = \"198.51.100.1\" }\n"
		  "interface \"eth0\" { method = static ipv6 = off addresses = {\"192.0.2.9/24\"} "
		  "gateway = \"192.0.2.1\" }\n");
	UNTIL("ip route | grep -q '^default via 198.51.100.1 dev eth1 .*metric 100'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 dev eth0 .*metric 101'");
}

static void a_source_address_leaves_by_the_link_that_has_it(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure("interface \"eth0\" { method = static ipv6 = static gateway = \"192.0.2.1\" "
		  "addresses = {\"192.0.2.9/24\", \"2001:db8:1::9/64\"} gateway6 = "
		  "\"2001:db8:1::1\" }\n"
		  "interface \"eth1\" { method = static ipv6 = static gateway = \"198.51.100.1\" "
		  "addresses = {\"198.51.100.9/24\", \"198.51.100.10/24\", \"2001:db8:2::9/64\"} "
		  "gateway6 = \"2001:db8:2::1\" }\n");
	UNTIL("ip route get 203.0.113.1 | grep -q 'via 192.0.2.1 dev eth0'");
	UNTIL("ip route get 203.0.113.1 from 192.0.2.9 | grep -q 'via 192.0.2.1 dev eth0'");
	UNTIL("ip route get 203.0.113.1 from 198.51.100.9 | grep -q 'via 198.51.100.1 dev eth1'");
	UNTIL("ip route get 203.0.113.1 from 198.51.100.10 | grep -q 'via 198.51.100.1 dev eth1'");
	UNTIL("ip route get 2001:db8:9::1 from 2001:db8:1::9 | grep -q 'via 2001:db8:1::1 dev eth0'");
	UNTIL("ip route get 2001:db8:9::1 from 2001:db8:2::9 | grep -q 'via 2001:db8:2::1 dev eth1'");
	/* Who is near is reached without a detour. */
	MUST("ip route get 192.0.2.77 from 198.51.100.9 | grep -q '^192.0.2.77 from 198.51.100.9 dev "
	     "eth0'");
	run_for(1500);
	u32 before = world_network->attempts.sequence;
	run_for(1000);
	assert_int_equal(world_network->attempts.sequence, before);
	/* One way out has no use for rules. */
	configure("interface \"eth1\" { method = static ipv6 = off gateway = \"198.51.100.1\" "
		  "addresses = {\"198.51.100.9/24\"} }\n");
	UNTIL("ip route get 203.0.113.1 | grep -q 'via 198.51.100.1 dev eth1'");
	UNTIL("! ip rule | grep -v 'lookup local\\|32766:\\|32767:'");
	UNTIL("! ip -6 rule | grep -v 'lookup local\\|32766:'");
}

static void a_card_is_known_by_its_mac(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure("interface \"eth0\" { method = static ipv6 = off addresses = {\"192.0.2.9/24\"} "
		  "match-mac = \"52:54:00:00:00:02\" }\n"
		  "interface \"eth1\" { method = none ipv6 = off match-mac = "
		  "\"52:54:00:00:00:01\" }\n");
	UNTIL("ip link show eth0 | grep -q 52:54:00:00:00:02");
	UNTIL("ip link show eth1 | grep -q 52:54:00:00:00:01");
	UNTIL("ip address show eth0 | grep -q 'inet 192.0.2.9/24'");
	UNTIL("ip link show eth1 | grep -q 'state UP'");
	configure("interface \"lan\" { method = none ipv6 = off match-mac = "
		  "\"52:54:00:00:00:01\" }\n");
	UNTIL("ip link show lan | grep -q 52:54:00:00:00:01");
	UNTIL("! ip link show eth1");
}

static bool kernel_has(const char *kind)
{
	bool has = holds("ip link add try0 link eth0 type %s", kind) ||
		   holds("ip link add try0 type %s", kind);

	(void)holds("ip link del try0");
	if (!has)
		print_message("this kernel has no %s\n", kind);
	return has;
}

static void a_vlan_is_made_and_goes(void **state)
{
	(void)state;
	NEEDS_ROOT();
	if (!kernel_has("vlan id 9"))
		skip();
	configure("vlan \"eth0.10\" { parent = \"eth0\" id = 10 method = static ipv6 = off "
		  "addresses = {\"192.0.2.9/24\"} gateway = \"192.0.2.1\" }\n");
	UNTIL("ip -d link show eth0.10 | grep -q 'vlan protocol 802.1Q id 10'");
	UNTIL("ip address show eth0.10 | grep -q 'inet 192.0.2.9/24'");
	UNTIL("ip route | grep -q '^default via 192.0.2.1 dev eth0.10'");
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	configure("vlan \"eth0.10\" { parent = \"eth1\" id = 11 method = static ipv6 = off "
		  "addresses = {\"192.0.2.9/24\"} }\n");
	UNTIL("ip -d link show eth0.10 | grep -q 'vlan protocol 802.1Q id 11'");
	UNTIL("ip link show eth0.10 | grep -q '@eth1'");
	UNTIL("ip address show eth0.10 | grep -q 'inet 192.0.2.9/24'");
	configure("interface \"eth0\" { method = none ipv6 = off }\n");
	UNTIL("! ip link show eth0.10");
}

static void a_bond_takes_its_members(void **state)
{
	(void)state;
	NEEDS_ROOT();
	if (!kernel_has("bond"))
		skip();
	configure("bond \"bond0\" { members = {\"eth0\", \"eth1\"} mode = \"active-backup\" "
		  "method = static ipv6 = static addresses = {\"192.0.2.9/24\", \"2001:db8::9/64\"} "
		  "gateway = \"192.0.2.1\" }\n"
		  "vlan \"bond0.7\" { parent = \"bond0\" id = 7 method = none ipv6 = off }\n");
	UNTIL("ip -d link show bond0 | grep -q 'bond mode active-backup miimon 100'");
	UNTIL("ip link show eth0 | grep -q 'master bond0 state UP'");
	UNTIL("ip link show eth1 | grep -q 'master bond0 state UP'");
	UNTIL("ip address show bond0 | grep -q 'inet 192.0.2.9/24'");
	UNTIL("ip address show bond0 | grep -q 'inet6 2001:db8::9/64'");
	UNTIL("ip link show bond0.7");
	configure("bond \"bond0\" { members = {\"eth1\"} mode = \"802.3ad\" method = none "
		  "ipv6 = off }\n");
	UNTIL("ip -d link show bond0 | grep -q 'bond mode 802.3ad'");
	UNTIL("ip link show eth1 | grep -q 'master bond0'");
	UNTIL("! ip link show eth0 | grep -q 'master bond0'");
	UNTIL("! ip link show bond0.7");
	configure("interface \"eth0\" { method = none ipv6 = off }\n");
	UNTIL("! ip link show bond0");
}

static void without_configuration_links_with_a_carrier_get_dhcp(void **state)
{
	const char *names[4];

	(void)state;
	NEEDS_ROOT();
	MUST("ip netns exec peer ip link set p1 down");
	configure("");
	UNTIL("ip link show eth0 | grep -q 'state UP'");
	UNTIL("ip link show eth1 | grep -q 'NO-CARRIER'");
	run_for(200);
	assert_int_equal(network_dhcp_wanted(world_network, names, 4), 1);
	assert_string_equal(names[0], "eth0");
	assert_string_equal(json_string_value(shown("eth0", "method")), "dhcp");
	assert_true(json_is_true(shown("eth0", "carrier")));
	assert_true(json_is_false(shown("eth1", "carrier")));
	MUST("ip netns exec peer ip link set p1 up");
	UNTIL("ip link show eth1 | grep -q 'state UP'");
	run_for(200);
	assert_int_equal(network_dhcp_wanted(world_network, names, 4), 2);
	/* Pulled for a moment is nothing; pulled for longer may be another network. */
	MUST("ip netns exec peer ip link set p0 down");
	run_for(1000);
	assert_int_equal(network_dhcp_wanted(world_network, names, 4), 2);
	run_for(3000);
	assert_int_equal(network_dhcp_wanted(world_network, names, 4), 1);
	assert_string_equal(names[0], "eth1");
}

static void an_address_that_somebody_has_is_told(void **state)
{
	(void)state;
	NEEDS_ROOT();
	MUST("ip netns exec peer ip address add 2001:db8::10/64 dev p0 nodad");
	configure(STATIC);
	UNTIL("ip address show eth0 | grep -q '2001:db8::10/64.*dadfailed'");
	run_for(100);
	assert_string_equal(json_string_value(json_array_get(shown("eth0", "duplicates"), 0)),
			    "2001:db8::10/64");
	assert_int_equal(json_array_size(shown("eth0", "duplicates")), 1);
}

static void what_the_kernel_refuses_is_asked_ever_more_rarely(void **state)
{
	u32 before;

	(void)state;
	NEEDS_ROOT();
	configure(STATIC);
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8::10/64'");
	MUST("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6");
	run_for(1000);
	before = world_network->attempts.sequence;
	run_for(8000);
	/* Three things: two addresses and a route. */
	assert_in_range(world_network->attempts.sequence - before, 3, 24);
	MUST("echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6");
	UNTIL("ip address show eth0 | grep -q 'inet6 2001:db8::10/64'");
	UNTIL("ip -6 route | grep -q '^default via 2001:db8::1'");
}

static void configured_resolvers_go_first(void **state)
{
	(void)state;
	NEEDS_ROOT();
	configure("resolvers = {\"192.0.2.53\", \"2001:db8::53\"}\ndomain = \"example.jp\"\n"
		  "interface \"eth0\" { method = none ipv6 = off }\n");
	UNTIL("grep -q 'nameserver 192.0.2.53' /run/resolv.conf");
	MUST("grep -q 'nameserver 2001:db8::53' /run/resolv.conf");
	MUST("grep -q 'search example.jp' /run/resolv.conf");
	MUST("test $(stat -c %%a /run/resolv.conf) = 644");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
		TEST(links_are_up_before_anything_is_configured),
		TEST(each_customer_has_an_address),
		TEST(what_is_no_longer_configured_goes),
		TEST(what_somebody_else_changes_is_mended),
		TEST(a_gateway_outside_of_all_networks_is_on_the_link),
		TEST(two_ways_out_have_an_order),
		TEST(a_source_address_leaves_by_the_link_that_has_it),
		TEST(a_card_is_known_by_its_mac),
		TEST(a_vlan_is_made_and_goes),
		TEST(a_bond_takes_its_members),
		TEST(without_configuration_links_with_a_carrier_get_dhcp),
		TEST(an_address_that_somebody_has_is_told),
		TEST(what_the_kernel_refuses_is_asked_ever_more_rarely),
		TEST(configured_resolvers_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
