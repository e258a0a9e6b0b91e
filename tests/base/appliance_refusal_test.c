/* What appliance.conf is refused for: each with its file, its line, section and option. */
#include "base/appliance.h"

#include "base/text.h"
#include "ssh_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refusal {
	const char *text;
	const char *error;
};

static void check_refusals(const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct appliance a;
		struct error error = { "" };

		if (appliance_parse(&a, slice_of(refusals[i].text), "t.conf", &error)) {
			appliance_free(&a);
			fail_msg("accepted: %s", refusals[i].text);
		}
		assert_string_equal(error.text, refusals[i].error);
	}
}

static void check_accepted(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct appliance a;
		struct error error = { "" };

		if (!appliance_parse(&a, slice_of(texts[i]), "t.conf", &error))
			fail_msg("%s refused: %s", texts[i], error.text);
		appliance_free(&a);
	}
}

static void values_of_another_shape_are_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "\ncolour = red\n", "t.conf:2: no such option 'colour'" },
		{ "hostname = \"a_b\"\n",
		  "t.conf:1: hostname: \"a_b\" is not a host name of at most 63 bytes" },
		{ "hostname = \"\"\n",
		  "t.conf:1: hostname: \"\" is not a host name of at most 63 bytes" },
		{ "time-zone = \"../etc/passwd\"\n",
		  "t.conf:1: time-zone: \"../etc/passwd\" is not a time zone such as Asia/Tokyo" },
		{ "time-zone = \"/UTC\"\n",
		  "t.conf:1: time-zone: \"/UTC\" is not a time zone such as Asia/Tokyo" },
		{ "domain = \"jp\"\n", "t.conf:1: domain: \"jp\" is not a domain name" },
		{ "ntp = {\"224.0.1.1\"}\n",
		  "t.conf:1: ntp: \"224.0.1.1\" is not a host name or an IP address" },
		{ "resolvers = {\"ns.example\"}\n",
		  "t.conf:1: resolvers: \"ns.example\" is not an IP address" },
		{ "ssh { listen = {\"22\"} }\n",
		  "t.conf:1: ssh: listen: \"22\" is not an address with port such as 0.0.0.0:22 or "
		  "[::]:22" },
		{ "interface \"eth0\" {\n mtu = 9217 }\n",
		  "t.conf:2: interface \"eth0\": mtu: \"9217\" is not a number from 0 to 9216" },
		{ "interface \"eth0\" { match-mac = \"01:00:5e:00:00:01\" }\n",
		  "t.conf:1: interface \"eth0\": match-mac: \"01:00:5e:00:00:01\" is not a MAC "
		  "address such as 52:54:00:12:34:56" },
		{ "interface \"eth0\" { match-mac = \"52:54:00:12:34\" }\n",
		  "t.conf:1: interface \"eth0\": match-mac: \"52:54:00:12:34\" is not a MAC address "
		  "such as 52:54:00:12:34:56" },
		{ "vlan \"v\" { parent = \"eth0\" id = 4095 }\n",
		  "t.conf:1: vlan \"v\": id: \"4095\" is not a number from 1 to 4094" },
		{ "vlan \"v\" { parent = \"eth0\"\n}\n", "t.conf:2: vlan \"v\": id: is missing" },
		{ "bond \"b\" { mode = \"lacp\" }\n",
		  "t.conf:1: bond \"b\": mode: \"lacp\" is not balance-rr, active-backup, "
		  "balance-xor, broadcast, 802.3ad, balance-tlb or balance-alb" },
		{ "interface \"lo\" {\n}\n",
		  "t.conf:2: interface \"lo\": its title is not an interface's name of at most 15 "
		  "letters, digits, '.', '-' and '_'" },
		{ "interface \"0123456789abcdef\" { }\n",
		  "t.conf:1: interface \"0123456789abcdef\": its title is not an interface's name "
		  "of at most 15 letters, digits, '.', '-' and '_'" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void an_address_is_one_that_a_host_can_have(void **state)
{
	static const char *const wrong[] = {
		"192.0.2.10",	 "192.0.2.10/33", "192.0.2.0/24",  "192.0.2.255/24", "0.0.0.0/8",
		"127.0.0.1/8",	 "224.0.0.1/24",  "192.0.2.1/0",   "192.0.2.1/ 8",   "192.0.2.1/",
		"2001:db8::/64", "::1/128",	  "ff02::1/64",	   "2001:db8::1/129", "fe80::1%1/64",
		"10.0.0.1/08x",	 "/24",		  "192.0.2.10/24/", "0192.0.2.1/24", "::/0",
	};

	(void)state;
	for (size_t i = 0; i < array_count(wrong); i++) {
		char text[128];
		char want[256];

		snprintf(text, sizeof(text), "interface eth0 { addresses = {\"%s\"} }\n", wrong[i]);
		snprintf(want, sizeof(want),
			 "t.conf:1: interface \"eth0\": addresses: \"%s\" is not a host's address "
			 "with its prefix length such as 192.0.2.10/24",
			 wrong[i]);
		check_refusals(&(struct refusal){ text, want }, 1);
	}
}

#define STATIC(options) "interface \"eth0\" { method = static " options "\n}\n"

static void gateways_lie_where_they_can_be_reached(void **state)
{
	static const struct refusal refusals[] = {
		{ STATIC("addresses = {\"192.0.2.10/24\"}\n gateway = \"192.0.3.1\""),
		  "t.conf:2: interface \"eth0\": gateway: 192.0.3.1 is in no network of the "
		  "addresses" },
		{ STATIC("addresses = {\"192.0.2.10/24\"} gateway = \"192.0.2.10\""),
		  "t.conf:1: interface \"eth0\": gateway: 192.0.2.10 is an address of the "
		  "interface itself" },
		{ STATIC("addresses = {\"192.0.2.10/24\"} gateway = \"fe80::1\""),
		  "t.conf:1: interface \"eth0\": gateway: \"fe80::1\" is not an IPv4 address" },
		{ STATIC("addresses = {\"192.0.2.10/24\"} gateway6 = \"192.0.2.1\""),
		  "t.conf:1: interface \"eth0\": gateway6: \"192.0.2.1\" is not an IPv6 address" },
		{ STATIC("ipv6 = static addresses = {\"192.0.2.10/32\", \"2001:db8::2/64\"} "
			 "gateway6 = \"2001:db9::1\""),
		  "t.conf:1: interface \"eth0\": gateway6: 2001:db9::1 is in no network of the "
		  "addresses" },
		{ "interface \"eth0\" { gateway = \"192.0.2.1\" }\n",
		  "t.conf:1: interface \"eth0\": gateway: goes with the method static only" },
	};
	static const char *const fine[] = {
		STATIC("addresses = {\"192.0.2.10/24\"} gateway = \"192.0.2.1\""),
		STATIC("addresses = {\"192.0.2.10/32\"} gateway = \"198.51.100.1\""),
		STATIC("addresses = {\"192.0.2.10/31\"} gateway = \"192.0.2.11\""),
		STATIC("addresses = {\"10.0.0.5/8\", \"192.0.2.10/24\"} gateway = \"192.0.2.1\""),
		STATIC("ipv6 = static addresses = {\"192.0.2.10/24\", \"2001:db8::2/128\"} "
		       "gateway6 = \"2001:db9::1\""),
		STATIC("ipv6 = static addresses = {\"192.0.2.10/24\", \"2001:db8::2/64\"} "
		       "gateway6 = \"fe80::1\""),
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
	check_accepted(fine, array_count(fine));
}

static void methods_and_addresses_belong_together(void **state)
{
	static const struct refusal refusals[] = {
		{ "interface \"eth0\" {\n method = static }\n",
		  "t.conf:2: interface \"eth0\": method: static, but no IPv4 address is among the "
		  "addresses" },
		{ "interface \"eth0\" { method = none addresses = {\"192.0.2.10/24\"} }\n",
		  "t.conf:1: interface \"eth0\": addresses: has IPv4, but the method is none" },
		{ "interface \"eth0\" { ipv6 = static }\n",
		  "t.conf:1: interface \"eth0\": ipv6: static, but no IPv6 address is among the "
		  "addresses" },
		{ "interface \"eth0\" { ipv6 = off addresses = {\"2001:db8::1/64\"} }\n",
		  "t.conf:1: interface \"eth0\": addresses: has IPv6, but ipv6 is off" },
		{ "interface \"eth0\" { ipv6 = off gateway6 = \"fe80::1\" }\n",
		  "t.conf:1: interface \"eth0\": gateway6: given, but ipv6 is off" },
		{ "interface \"eth0\" { mtu = 1200 }\n",
		  "t.conf:1: interface \"eth0\": mtu: less than 1280, which IPv6 needs" },
		{ "interface \"eth0\" { ipv6 = off mtu = 575 }\n",
		  "t.conf:1: interface \"eth0\": mtu: less than 576, which IPv4 needs" },
		{ "interface \"a\" { addresses = {\"192.0.2.10/24\"} }\n"
		  "interface \"b\" {\n addresses = {\"192.0.2.10/25\"} }\n",
		  "t.conf:3: interface \"b\": addresses: 192.0.2.10/25 is there twice, first in "
		  "\"a\"" },
		{ "interface \"a\" { addresses = {\"192.0.2.10/24\", \"192.0.2.10/25\"} }\n",
		  "t.conf:1: interface \"a\": addresses: 192.0.2.10/25 is there twice, first in "
		  "\"a\"" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void parents_and_members_exist_once(void **state)
{
	static const struct refusal refusals[] = {
		{ "interface \"x\" { }\nbond \"x\" { members = {\"eth0\"}\n}\n",
		  "t.conf:3: bond \"x\": this interface is there twice" },
		{ "interface \"a\" { match-mac = \"52:54:00:00:00:01\" }\n"
		  "interface \"b\" { match-mac = \"52:54:00:00:00:01\" }\n",
		  "t.conf:2: interface \"b\": match-mac: 52:54:00:00:00:01 is that of \"a\", too" },
		{ "bond \"b\" { }\n", "t.conf:1: bond \"b\": members: at least one is needed" },
		{ "bond \"b\" { members = {\"e0\"} }\nbond \"c\" { members = {\"e1\", \"e0\"} }\n",
		  "t.conf:2: bond \"c\": members: \"e0\" is a member of \"b\", too" },
		{ "interface \"e0\" { }\nbond \"b\" { members = {\"e0\"} }\n",
		  "t.conf:2: bond \"b\": members: \"e0\" has addresses of its own: its method must "
		  "be none, its ipv6 off" },
		{ "bond \"b\" { members = {\"b\"} }\n",
		  "t.conf:1: bond \"b\": members: \"b\" is no Ethernet interface" },
		{ "vlan \"v\" { parent = \"w\" id = 1 }\nvlan \"w\" { parent = \"e0\" id = 2 }\n",
		  "t.conf:1: vlan \"v\": parent: \"w\" is a VLAN itself" },
		{ "vlan \"v\" { parent = \"e0\" id = 7 }\nvlan \"w\" { parent = \"e0\" id = 7 }\n",
		  "t.conf:2: vlan \"w\": id: 7 is that of \"v\", too" },
		{ "vlan \"v\" { parent = \"e0\" id = 7 }\nbond \"b\" { members = {\"e0\"} }\n",
		  "t.conf:1: vlan \"v\": parent: \"e0\" is a member of \"b\"" },
		{ "interface \"e0\" { mtu = 1500 }\n"
		  "vlan \"v\" { parent = \"e0\" id = 7 mtu = 1501 }\n",
		  "t.conf:2: vlan \"v\": mtu: more than the 1500 of \"e0\"" },
	};
	static const char *const fine[] = {
		"interface \"e0\" { method = none ipv6 = off }\nbond \"b\" { members = {\"e0\"} }\n"
		"vlan \"v\" { parent = \"b\" id = 7 }\n",
		"vlan \"v\" { parent = \"e0\" id = 7 }\nvlan \"w\" { parent = \"e1\" id = 7 }\n",
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
	check_accepted(fine, array_count(fine));
}

static void a_key_is_a_public_key_and_nothing_else(void **state)
{
	static const char *const fine[] = { KEY_ED25519, KEY_ECDSA, KEY_RSA_2048, KEY_SK_ED25519,
					    KEY_ED25519 "   a b", "  " KEY_ED25519 " " };
	static const char *const wrong[] = {
		KEY_RSA_1024, KEY_SHORT,	KEY_TRAILING,
		KEY_OTHER_INSIDE, "ssh-ed25519",	"ssh-dss AAAAB3NzaC1kc3M=",
		"no-pty " KEY_ED25519,		"", "ssh-ed25519 !!!!",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
	};
	struct appliance a;
	struct error error;

	(void)state;
	assert_true(appliance_defaults(&a, &error));
	for (size_t i = 0; i < array_count(fine); i++) {
		if (!appliance_set(&a, "ssh", "keys", slice_of(fine[i]), &error))
			fail_msg("%s", error.text);
		assert_int_equal(a.ssh_keys.count, 1);
	}
	for (size_t i = 0; i < array_count(wrong); i++) {
		if (appliance_add(&a, "ssh", "keys", slice_of(wrong[i]), &error))
			fail_msg("accepted: %s", wrong[i]);
		assert_non_null(strstr(error.text, "is not a public key such as"));
	}
	assert_int_equal(a.ssh_keys.count, 1);
	assert_false(appliance_add(&a, "ssh", "keys", SLICE(KEY_ECDSA " a|b"), &error));
	assert_false(appliance_add(&a, "ssh", "keys", SLICE(KEY_ECDSA " a\nb"), &error));
	appliance_free(&a);
}

static void words_of_the_kernel_are_refused_by_name(void **state)
{
	static const struct refusal refusals[] = {
		{ "hikyaku.colour=red", "hikyaku.colour: no such option 'colour'" },
		{ "hikyaku.hostname", "hikyaku.hostname: no value" },
		{ "hikyaku.address=192.0.2.1", "hikyaku.address: eth0: addresses: \"192.0.2.1\" is not "
					       "a host's address with its prefix length such as "
					       "192.0.2.10/24" },
		{ "hikyaku.interface=a/b", "hikyaku.interface: not an interface's name" },
		{ "hikyaku.address=192.0.2.5/24 hikyaku.gateway=192.0.3.1",
		  "interface \"eth0\": gateway: 192.0.3.1 is in no network of the addresses" },
	};
	struct error error;
	struct appliance a;

	(void)state;
	assert_true(appliance_defaults(&a, &error));
	for (size_t i = 0; i < array_count(refusals); i++) {
		char want[512];

		snprintf(want, sizeof(want), "kernel command line: %s", refusals[i].error);
		assert_false(appliance_overlay(&a, slice_of(refusals[i].text), &error));
		assert_string_equal(error.text, want);
		assert_int_equal(a.interface_count, 0);
	}
	appliance_free(&a);
}

static void too_many_are_refused(void **state)
{
	char text[APPLIANCE_INTERFACES_MAX * 32 + 64] = "";
	size_t len = 0;
	struct appliance a;
	struct error error;

	(void)state;
	for (int i = 0; i <= APPLIANCE_INTERFACES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "interface e%d { }\n", i);
	assert_false(appliance_parse(&a, slice_of(text), "t.conf", &error));
	assert_string_equal(error.text, "t.conf:33: interface \"e32\": more than 32 interfaces");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_another_shape_are_refused),
		cmocka_unit_test(an_address_is_one_that_a_host_can_have),
		cmocka_unit_test(gateways_lie_where_they_can_be_reached),
		cmocka_unit_test(methods_and_addresses_belong_together),
		cmocka_unit_test(parents_and_members_exist_once),
		cmocka_unit_test(a_key_is_a_public_key_and_nothing_else),
		cmocka_unit_test(words_of_the_kernel_are_refused_by_name),
		cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
