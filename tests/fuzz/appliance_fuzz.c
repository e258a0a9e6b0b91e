/*
 * Any bytes as a line of the kernel's command line, and behind it as appliance.conf. What is
 * refused is refused with words that say where, and changes nothing; what is taken is written back
 * as a file that is read again as the same.
 */
#include "base/appliance.h"
#include "base/check.h"
#include "base/text.h"

#include <string.h>

#define LINES_HEAD 0
#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAILbU0+ObOVci9Mi6xyXXApzu9hQMV5W8Mu0SQbR75fdU"

static const struct slice known_lines[] = {
	SLICE("hostname = \"mail.example.jp\"\n"),
	SLICE("time-zone = \"Asia/Tokyo\"\n"),
	SLICE("domain = \"example.jp\"\n"),
	SLICE("ntp = {\"ntp.nict.jp\", \"192.0.2.1\"}\n"),
	SLICE("resolvers = {\"192.0.2.53\", \"2001:db8::53\"}\n"),
	SLICE("console-log = false\n"),
	SLICE("data-disk = \"blank\"\n"),
	SLICE("ssh { listen = {\"0.0.0.0:22\", \"[::]:22\"} }\n"),
	SLICE("ssh { keys = {\"ssh-ed25519 " KEY " ops\"} }\n"),
	SLICE("interface \"eth0\" { method = \"static\" addresses = {\"192.0.2.10/24\"} }\n"),
	SLICE("interface \"eth1\" {\n"),
	SLICE("gateway = \"192.0.2.1\"\n"),
	SLICE("gateway6 = \"2001:db8::1\"\n"),
	SLICE("gateway6 = \"fe80::1\"\n"),
	SLICE("ipv6 = \"off\"\n"),
	SLICE("addresses = {\"2001:db8::10/64\"} ipv6 = \"static\"\n"),
	SLICE("mtu = 1500\n"),
	SLICE("match-mac = \"52:54:00:12:34:56\"\n"),
	SLICE("}\n"),
	SLICE("vlan \"eth0.10\" { parent = \"eth0\" id = 10 }\n"),
	SLICE("bond \"bond0\" { members = {\"eth0\", \"eth1\"} mode = \"802.3ad\" }\n"),
	SLICE("quiet hikyaku.slot=a hikyaku.hostname=mail hikyaku.address=192.0.2.10/24\n"),
	SLICE(" hikyaku.gateway=192.0.2.1"),
	SLICE(" hikyaku.interface=eth1"),
	SLICE(" hikyaku.dns=192.0.2.53,2001:db8::53"),
	SLICE(" hikyaku.ssh-key=\"ssh-ed25519 " KEY " ops\""),
	SLICE(" hikyaku.ssh-key=ssh-ed25519," KEY ",ops"),
	SLICE(" hikyaku.ipv6=off"),
	SLICE(" hikyaku.domain="),
	SLICE("# a comment\n"),
	SLICE("\\\""),
	SLICE("\""),
	SLICE("{"),
	SLICE("}"),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void format(const struct appliance *appliance, struct buf *out)
{
	buf_init(out, 4u << 20);
	appliance_format(appliance, out);
	ASSERT(!out->failed);
}

static void check_sound(const struct appliance *appliance)
{
	ASSERT(appliance->interface_count <= APPLIANCE_INTERFACES_MAX);
	for (size_t i = 0; i < appliance->interface_count; i++) {
		const struct appliance_interface *interface = &appliance->interfaces[i];

		ASSERT(strlen(interface->name) >= 1 &&
		       strlen(interface->name) <= APPLIANCE_NAME_MAX);
		ASSERT(interface->mtu == 0 || (interface->mtu >= 576 && interface->mtu <= 9216));
		ASSERT(interface->kind != APPLIANCE_VLAN ||
		       (interface->parent && interface->id >= 1 && interface->id <= 4094));
		ASSERT(appliance_find((struct appliance *)appliance, interface->name) ==
		       interface);
	}
}

/* The text of what is read from `text`. */
static void format_again(struct slice text, struct buf *out)
{
	struct appliance again;
	struct error error = { "" };

	if (!appliance_parse(&again, text, "again.conf", &error))
		CRASH("written, and not read again: %s", error.text);
	format(&again, out);
	appliance_free(&again);
}

static void check_written(const struct appliance *appliance)
{
	struct buf first;
	struct buf second;
	struct buf third;

	check_sound(appliance);
	format(appliance, &first);
	/* The whole may be longer than a file may be. */
	if (first.len <= APPLIANCE_FILE_MAX) {
		format_again(buf_slice(&first), &second);
		/* Interfaces are read before VLANs and bonds, wherever they stand. */
		ASSERT(first.len == second.len);
		format_again(buf_slice(&second), &third);
		ASSERT(slice_equal(buf_slice(&second), buf_slice(&third)));
		buf_done(&second);
		buf_done(&third);
	}
	buf_done(&first);
}

static void overlay(struct appliance *appliance, struct slice line)
{
	struct error error = { "" };
	struct buf before;
	struct buf after;

	format(appliance, &before);
	if (!appliance_overlay(appliance, line, &error)) {
		ASSERT(strncmp(error.text, "kernel command line", 19) == 0);
		format(appliance, &after);
		ASSERT(slice_equal(buf_slice(&before), buf_slice(&after)));
		buf_done(&after);
	}
	buf_done(&before);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct slice line = slice_split(&text, '\n');
	struct appliance appliance;
	struct error error = { "" };

	if (!text.ptr)
		text = SLICE("");
	if (!appliance_parse(&appliance, text, "fuzz.conf", &error)) {
		ASSERT(strncmp(error.text, "fuzz.conf:", 10) == 0);
		if (!appliance_defaults(&appliance, &error))
			CRASH("%s", error.text);
	}
	check_written(&appliance);
	overlay(&appliance, line);
	check_written(&appliance);
	appliance_free(&appliance);
	return 0;
}
