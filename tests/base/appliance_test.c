/* appliance.conf: what is read, what is refused and how, and that what is written is read again. */
#include "base/appliance.h"

#include "base/net_address.h"
#include "base/text.h"
#include "remove_tree.h"
#include "ssh_keys.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static bool parse(struct appliance *a, const char *text, struct error *error)
{
	return appliance_parse(a, slice_of(text), "t.conf", error);
}

static void must_parse(struct appliance *a, const char *text)
{
	struct error error = { "" };

	if (!parse(a, text, &error))
		fail_msg("refused: %s", error.text);
}

static void assert_items(const struct config_list *list, const char *joined)
{
	char got[2048] = "";
	size_t len = 0;

	for (size_t i = 0; i < list->count; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s", i > 0 ? "," : "",
					list->items[i]);
	assert_string_equal(got, joined);
}

static const char whole[] =
	"hostname = \"Mail.Example.JP\"\n"
	"time-zone = \"Asia/Tokyo\"\n"
	"domain = \"example.jp.\"\n"
	"ntp = {\"ntp.nict.jp\", \"2001:DB8::7B\"}\n"
	"resolvers = {\"127.0.0.1\", \"192.0.2.53\"}\n"
	"console-log = false\n"
	"data-disk = blank\n"
	"web-server = false\n"
	"ssh { listen = {\"192.0.2.10:2222\"} keys = {\"" KEY_ED25519 "  ops at home\", \"" KEY_RSA_2048
	"\"} }\n"
	"interface \"eth0\" { method = \"static\" ipv6 = \"static\"\n"
	"  addresses = {\"192.0.2.10/24\", \"192.0.2.11/24\", \"2001:DB8:0::10/64\"}\n"
	"  gateway = \"192.0.2.1\" gateway6 = \"fe80::1\" mtu = 9000 match-mac = "
	"\"52-54-00-AB-CD-EF\" }\n"
	"interface \"eth1\" { method = none ipv6 = off }\n"
	"vlan \"eth0.10\" { parent = \"eth0\" id = 10 gateway = \"\" }\n"
	"bond \"bond0\" { members = {\"eth1\", \"eth2\"} mode = \"802.3ad\" }\n";

static void check_whole(const struct appliance *a)
{
	const struct appliance_interface *i = a->interfaces;

	assert_true(a->given);
	assert_string_equal(a->hostname, "mail.example.jp");
	assert_string_equal(a->time_zone, "Asia/Tokyo");
	assert_string_equal(a->domain, "example.jp");
	assert_items(&a->ntp, "ntp.nict.jp,2001:db8::7b");
	assert_items(&a->resolvers, "127.0.0.1,192.0.2.53");
	assert_false(a->console_log);
	assert_int_equal(a->data_disk, APPLIANCE_DISK_BLANK);
	assert_false(a->web_server);
	assert_items(&a->ssh_listen, "192.0.2.10:2222");
	assert_items(&a->ssh_keys, KEY_ED25519 " ops at home," KEY_RSA_2048);
	assert_int_equal(a->interface_count, 4);
	assert_string_equal(i[0].name, "eth0");
	assert_int_equal(i[0].method, APPLIANCE_STATIC);
	assert_int_equal(i[0].ipv6, APPLIANCE_IPV6_STATIC);
	assert_items(&i[0].addresses, "192.0.2.10/24,192.0.2.11/24,2001:db8::10/64");
	assert_string_equal(i[0].gateway, "192.0.2.1");
	assert_string_equal(i[0].gateway6, "fe80::1");
	assert_int_equal(i[0].mtu, 9000);
	assert_string_equal(i[0].match_mac, "52:54:00:ab:cd:ef");
	assert_int_equal(i[1].method, APPLIANCE_NO_IPV4);
	assert_int_equal(i[1].ipv6, APPLIANCE_IPV6_OFF);
	assert_int_equal(i[2].kind, APPLIANCE_VLAN);
	assert_string_equal(i[2].parent, "eth0");
	assert_int_equal(i[2].id, 10);
	assert_int_equal(i[2].method, APPLIANCE_DHCP);
	assert_null(i[2].gateway);
	assert_int_equal(i[3].kind, APPLIANCE_BOND);
	assert_items(&i[3].members, "eth1,eth2");
	assert_int_equal(i[3].mode, APPLIANCE_BOND_802_3AD);
	assert_int_equal(i[3].ipv6, APPLIANCE_IPV6_AUTO);
}

static void every_option_is_read(void **state)
{
	struct appliance a;

	(void)state;
	must_parse(&a, whole);
	check_whole(&a);
	appliance_free(&a);
	appliance_free(&a);
}

static void without_a_file_defaults_count(void **state)
{
	struct error error = { "" };
	struct appliance a;

	(void)state;
	assert_true(appliance_read(&a, "/nowhere/appliance.conf", &error));
	assert_false(a.given);
	assert_string_equal(a.hostname, "hikyaku");
	assert_string_equal(a.time_zone, "UTC");
	assert_null(a.domain);
	assert_items(&a.ntp, "pool.ntp.org");
	assert_items(&a.resolvers, "");
	assert_true(a.console_log);
	assert_true(a.web_server);
	assert_items(&a.ssh_listen, "0.0.0.0:22,[::]:22");
	assert_items(&a.ssh_keys, "");
	assert_int_equal(a.interface_count, 0);
	appliance_free(&a);
	assert_false(appliance_read(&a, "/", &error));
	assert_string_equal(error.text, "/: Is a directory");
}

static void what_is_written_is_read_as_the_same(void **state)
{
	static const char *const texts[] = { whole, "", "ssh { keys = {\"" KEY_ECDSA " it's\"} }" };
	struct appliance a;
	struct appliance again;
	struct buf first;
	struct buf second;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		buf_init(&first, APPLIANCE_FILE_MAX);
		buf_init(&second, APPLIANCE_FILE_MAX);
		must_parse(&a, texts[i]);
		appliance_format(&a, &first);
		must_parse(&again, buf_text(&first));
		if (i == 0)
			check_whole(&again);
		appliance_format(&again, &second);
		assert_string_equal(buf_text(&first), buf_text(&second));
		appliance_free(&a);
		appliance_free(&again);
		buf_done(&first);
		buf_done(&second);
	}
}

static void the_file_is_replaced_and_keeps_its_owner(void **state)
{
	char folder[] = "/tmp/appliance_test.XXXXXX";
	char path[PATH_MAX];
	struct error error = { "" };
	struct appliance a;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/appliance.conf", folder);
	must_parse(&a, whole);
	assert_true(appliance_write(&a, path, &error));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 100, 110), 0);
	assert_true(appliance_set(&a, NULL, "hostname", SLICE("other"), &error));
	assert_true(appliance_write(&a, path, &error));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, geteuid() == 0 ? 100 : geteuid());
	appliance_free(&a);
	assert_true(appliance_read(&a, path, &error));
	assert_string_equal(a.hostname, "other");

	assert_true(appliance_set(&a, "eth0", "gateway", SLICE("198.51.100.1"), &error));
	assert_false(appliance_write(&a, path, &error));
	assert_string_equal(error.text, "interface \"eth0\": gateway: 198.51.100.1 is in no "
					"network of the addresses");
	appliance_free(&a);
	assert_true(appliance_read(&a, path, &error));
	assert_string_equal(a.interfaces[0].gateway, "192.0.2.1");
	appliance_free(&a);
	remove_tree(folder);
}

static void words_of_the_kernel_go_over_the_file(void **state)
{
	struct error error = { "" };
	struct appliance a;

	(void)state;
	assert_true(appliance_defaults(&a, &error));
	assert_true(appliance_overlay(&a, SLICE("console=ttyS0 quiet hikyaku.slot=b panic=10\n"),
				      &error));
	assert_false(a.given);
	assert_false(appliance_overlay(
		    &a,
		    SLICE("console=ttyS0 hikyaku.hostname=Mx1 hikyaku.address=192.0.2.10/24,"
			  "2001:db8::10/64 hikyaku.gateway=192.0.2.1 hikyaku.dns=192.0.2.53 "
			  "hikyaku.ssh-key=\"" KEY_ED25519 " the ops\" hikyaku.ssh-key="
			  "ssh-rsa,AAAA hikyaku.domain=example.jp\n"),
		    &error));
	assert_string_equal(error.text, "kernel command line: hikyaku.ssh-key: ssh: keys: "
					"\"ssh-rsa AAAA\" is not a public key such as "
					"\"ssh-ed25519 AAAA... name\"");
	assert_string_equal(a.hostname, "hikyaku");
	assert_int_equal(a.interface_count, 0);
	assert_true(appliance_overlay(
		&a,
		SLICE("console=ttyS0 hikyaku.hostname=Mx1 hikyaku.address=192.0.2.10/24,"
		      "2001:db8::10/64 hikyaku.gateway=192.0.2.1 hikyaku.dns=192.0.2.53 "
		      "hikyaku.ssh-key=\"" KEY_ED25519 " the ops\" \"hikyaku.ssh-key=" KEY_ECDSA
		      "\" hikyaku.domain=example.jp hikyaku.interface=eth3 hikyaku.mtu=1400\n"),
		&error));
	assert_true(a.given);
	assert_string_equal(a.hostname, "mx1");
	assert_items(&a.resolvers, "192.0.2.53");
	assert_items(&a.ssh_keys, KEY_ED25519 " the ops," KEY_ECDSA);
	assert_int_equal(a.interface_count, 2);
	assert_string_equal(a.interfaces[0].name, "eth0");
	assert_int_equal(a.interfaces[0].method, APPLIANCE_STATIC);
	assert_int_equal(a.interfaces[0].ipv6, APPLIANCE_IPV6_AUTO);
	assert_items(&a.interfaces[0].addresses, "192.0.2.10/24,2001:db8::10/64");
	assert_string_equal(a.interfaces[0].gateway, "192.0.2.1");
	assert_string_equal(a.interfaces[1].name, "eth3");
	assert_int_equal(a.interfaces[1].mtu, 1400);
	assert_int_equal(a.interfaces[1].method, APPLIANCE_DHCP);
	appliance_free(&a);
}

static void commas_stand_for_the_spaces_of_a_key(void **state)
{
	char line[4096] = "hikyaku.ssh-key=" KEY_ED25519 " ops";
	struct error error = { "" };
	struct appliance a;

	(void)state;
	for (char *c = line; *c; c++)
		*c = *c == ' ' ? ',' : *c;
	assert_true(appliance_defaults(&a, &error));
	assert_true(appliance_overlay(&a, slice_of(line), &error));
	assert_items(&a.ssh_keys, KEY_ED25519 " ops");
	appliance_free(&a);
}

static void the_console_sets_options_one_by_one(void **state)
{
	struct error error = { "" };
	struct appliance a;

	(void)state;
	assert_true(appliance_defaults(&a, &error));
	assert_true(appliance_set(&a, NULL, "domain", SLICE(" example.jp "), &error));
	assert_string_equal(a.domain, "example.jp");
	assert_true(appliance_set(&a, NULL, "domain", SLICE(""), &error));
	assert_null(a.domain);
	assert_true(appliance_set(&a, NULL, "ntp", SLICE("a.example, b.example"), &error));
	assert_items(&a.ntp, "a.example,b.example");
	assert_false(appliance_set(&a, NULL, "ntp", SLICE(""), &error));
	assert_string_equal(error.text, "ntp: at least one is needed");
	assert_true(appliance_add(&a, NULL, "ntp", SLICE("A.example"), &error));
	assert_items(&a.ntp, "a.example,b.example");
	assert_true(appliance_set(&a, NULL, "console-log", SLICE("false"), &error));
	assert_false(a.console_log);
	assert_false(appliance_set(&a, NULL, "console-log", SLICE("no"), &error));
	assert_string_equal(error.text, "console-log: \"no\" is not true or false");
	assert_false(appliance_set(&a, NULL, "colour", SLICE("red"), &error));
	assert_string_equal(error.text, "no such option 'colour'");
	assert_false(appliance_set(&a, "eth0", "mtu", SLICE("1500"), &error));
	assert_string_equal(error.text, "no interface \"eth0\"");
	assert_non_null(appliance_interface(&a, APPLIANCE_ETHERNET, "eth0", &error));
	assert_non_null(appliance_interface(&a, APPLIANCE_VLAN, "v10", &error));
	assert_ptr_equal(appliance_interface(&a, APPLIANCE_ETHERNET, "v10", &error),
			 &a.interfaces[1]);
	assert_null(appliance_interface(&a, APPLIANCE_ETHERNET, "no/name", &error));
	assert_string_equal(error.text, "\"no/name\" is not an interface's name");
	assert_false(appliance_check(&a, &error));
	assert_string_equal(error.text, "vlan \"v10\": parent: is missing");
	assert_false(appliance_set(&a, "eth0", "id", SLICE("10"), &error));
	assert_string_equal(error.text, "eth0: no such option 'id'");
	assert_true(appliance_set(&a, "v10", "parent", SLICE("eth0"), &error));
	assert_true(appliance_set(&a, "v10", "id", SLICE("10"), &error));
	assert_true(appliance_check(&a, &error));
	appliance_remove(&a, "eth0");
	appliance_remove(&a, "eth7");
	assert_int_equal(a.interface_count, 1);
	assert_string_equal(a.interfaces[0].name, "v10");
	appliance_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(without_a_file_defaults_count),
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(the_file_is_replaced_and_keeps_its_owner),
		cmocka_unit_test(words_of_the_kernel_go_over_the_file),
		cmocka_unit_test(commas_stand_for_the_spaces_of_a_key),
		cmocka_unit_test(the_console_sets_options_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
