/* The file's text, with a comment to each option. */
#include "base/appliance_table.h"

#include <string.h>

static void add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (const char *c = text ? text : ""; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *c);
	}
	buf_add_char(out, '"');
}

static void add_text(struct buf *out, const char *indent, const char *name, const char *text)
{
	buf_add_format(out, "%s%s = ", indent, name);
	add_quoted(out, text);
	buf_add_char(out, '\n');
}

/* Long lists and those of long items have a line for each. */
static void add_list(struct buf *out, const char *indent, const char *name,
		     const struct config_list *list)
{
	size_t length = 0;
	bool lines;

	for (size_t i = 0; i < list->count; i++)
		length += strlen(list->items[i]) + 4;
	lines = length > 60;
	buf_add_format(out, "%s%s = {", indent, name);
	for (size_t i = 0; i < list->count; i++) {
		if (lines)
			buf_add_format(out, "\n%s\t", indent);
		else if (i > 0)
			buf_add_char(out, ' ');
		add_quoted(out, list->items[i]);
		if (i + 1 < list->count)
			buf_add_char(out, ',');
	}
	if (lines)
		buf_add_format(out, "\n%s", indent);
	buf_add_text(out, "}\n");
}

static void add_head(const struct appliance *a, struct buf *out)
{
	buf_add_text(out,
		     "# The appliance: its name, its network, who may log in. The console writes\n"
		     "# this file anew: comments of your own are lost then.\n\n"
		     "# The machine's name, with or without its domain.\n");
	add_text(out, "", "hostname", a->hostname);
	buf_add_text(out, "# Where names without a dot are looked up; \"\": nowhere.\n");
	add_text(out, "", "domain", a->domain);
	buf_add_text(out, "# Of times on the console and in its lists, such as \"Asia/Tokyo\".\n");
	add_text(out, "", "time-zone", a->time_zone);
	buf_add_text(out, "# Time servers, names or addresses.\n");
	add_list(out, "", "ntp", &a->ntp);
	buf_add_text(out,
		     "# Addresses of name servers. Empty: those that DHCP tells. What the sender\n"
		     "# asks is in its own configuration.\n");
	add_list(out, "", "resolvers", &a->resolvers);
	buf_add_text(out, "# Whether log lines appear on the console, too.\n");
	buf_add_format(out, "console-log = %s\n", a->console_log ? "true" : "false");
	buf_add_text(out, "# Where the data goes while there is none yet: to the disk that the\n"
			  "# appliance starts from (\"boot\"), or to a second, wholly blank one "
			  "(\"blank\").\n");
	add_text(out, "", "data-disk", appliance_disks[a->data_disk]);
	buf_add_text(out, "# Whether web pages are served, on ports 80 and 443.\n");
	buf_add_format(out, "web-server = %s\n", a->web_server ? "true" : "false");
}

static void add_ssh(const struct appliance *a, struct buf *out)
{
	buf_add_text(out, "\nssh {\n\t# Addresses with port that are listened at.\n");
	add_list(out, "\t", "listen", &a->ssh_listen);
	buf_add_text(out, "\t# Public keys that log in as \"admin\"; without one ssh is off.\n");
	add_list(out, "\t", "keys", &a->ssh_keys);
	buf_add_text(out, "}\n");
}

static void add_interface(const struct appliance_interface *i, struct buf *out)
{
	buf_add_format(out, "\n%s \"%s\" {\n", appliance_section_of(i->kind)->name, i->name);
	if (i->kind == APPLIANCE_VLAN) {
		buf_add_text(out, "\t# The interface that carries it, and its number there.\n");
		add_text(out, "\t", "parent", i->parent);
		buf_add_format(out, "\tid = %u\n", i->id);
	} else if (i->kind == APPLIANCE_BOND) {
		buf_add_text(out, "\t# The interfaces that act as one, and how.\n");
		add_list(out, "\t", "members", &i->members);
		add_text(out, "\t", "mode", appliance_modes[i->mode]);
	}
	buf_add_text(out, "\t# IPv4: dhcp, static (the addresses below) or none.\n");
	add_text(out, "\t", "method", appliance_methods[i->method]);
	buf_add_text(out, "\t# IPv6: auto (router advertisements), static or off.\n");
	add_text(out, "\t", "ipv6", appliance_ipv6s[i->ipv6]);
	buf_add_text(out, "\t# With prefix length: \"192.0.2.10/24\", \"2001:db8::10/64\". One\n"
			  "\t# for each source address of a customer.\n");
	add_list(out, "\t", "addresses", &i->addresses);
	buf_add_text(out, "\t# The way out; \"\": none, or what DHCP and routers say.\n");
	add_text(out, "\t", "gateway", i->gateway);
	add_text(out, "\t", "gateway6", i->gateway6);
	buf_add_text(out, "\t# Bytes of the largest packet; 0: as it comes.\n");
	buf_add_format(out, "\tmtu = %u\n", i->mtu);
	if (i->kind == APPLIANCE_ETHERNET) {
		buf_add_text(out, "\t# The card that is meant, when names might change; \"\": "
				  "whichever has this name.\n");
		add_text(out, "\t", "match-mac", i->match_mac);
	}
	buf_add_text(out, "}\n");
}

void appliance_format(const struct appliance *appliance, struct buf *out)
{
	add_head(appliance, out);
	add_ssh(appliance, out);
	if (appliance->interface_count == 0)
		buf_add_text(out, "\n# No interface is named: each with a carrier gets dhcp and\n"
				  "# ipv6 auto.\n");
	for (size_t i = 0; i < appliance->interface_count; i++)
		add_interface(&appliance->interfaces[i], out);
}
