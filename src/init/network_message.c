#include "init/network_message.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ND_OPTION_RDNSS 25 /* RFC 8106 section 5.1 */

_Static_assert(sizeof(struct nlmsghdr) == NLMSG_HDRLEN, "no padding between head and content");

/* ---- writing ---- */

static void pad(struct buf *out)
{
	static const char zeros[NLMSG_ALIGNTO];

	buf_add(out, zeros, (NLMSG_ALIGNTO - out->len % NLMSG_ALIGNTO) % NLMSG_ALIGNTO);
}

size_t message_begin(struct buf *out, u16 type, u16 flags, const void *head, size_t size)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = (u16)(NLM_F_REQUEST | flags) };
	size_t begin = out->len;

	buf_add(out, &h, sizeof(h));
	buf_add(out, head, size);
	pad(out);
	return begin;
}

void message_end(struct buf *out, size_t begin)
{
	u32 len = (u32)(out->len - begin);

	if (!out->failed)
		memcpy(out->ptr + begin + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

void message_set_sequence(struct buf *out, size_t begin, u32 sequence)
{
	if (!out->failed)
		memcpy(out->ptr + begin + offsetof(struct nlmsghdr, nlmsg_seq), &sequence,
		       sizeof(sequence));
}

void message_add(struct buf *out, u16 attribute, const void *value, size_t len)
{
	struct rtattr a = { .rta_type = attribute, .rta_len = (u16)(sizeof(a) + len) };

	buf_add(out, &a, sizeof(a));
	buf_add(out, value, len);
	pad(out);
}

void message_add_u32(struct buf *out, u16 attribute, u32 value)
{
	message_add(out, attribute, &value, sizeof(value));
}

void message_add_text(struct buf *out, u16 attribute, const char *text)
{
	message_add(out, attribute, text, strlen(text) + 1);
}

size_t message_nest(struct buf *out, u16 attribute)
{
	size_t begin = out->len;

	message_add(out, attribute, NULL, 0);
	return begin;
}

void message_nest_end(struct buf *out, size_t begin)
{
	u16 len = (u16)(out->len - begin);

	if (!out->failed)
		memcpy(out->ptr + begin + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

void message_dump(struct buf *out, u16 type)
{
	/* The longest of the heads; the kernel wants at least the one of that type. */
	struct rtmsg any = { .rtm_family = AF_UNSPEC };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	size_t begin = type == RTM_GETLINK
			       ? message_begin(out, type, NLM_F_DUMP, &link, sizeof(link))
			       : message_begin(out, type, NLM_F_DUMP, &any, sizeof(any));

	message_end(out, begin);
}

/* ---- reading ---- */

struct attribute {
	u16 type;
	struct slice value;
};

static bool take_attribute(struct slice *bytes, struct attribute *attribute)
{
	struct rtattr a;
	size_t whole;

	if (bytes->len < sizeof(a))
		return false;
	memcpy(&a, bytes->ptr, sizeof(a));
	if (a.rta_len < sizeof(a) || a.rta_len > bytes->len)
		return false;
	attribute->type = a.rta_type & (u16)~(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
	attribute->value =
		(struct slice){ bytes->ptr + sizeof(a), (size_t)a.rta_len - sizeof(a) };
	whole = min_size(RTA_ALIGN(a.rta_len), bytes->len);
	*bytes = (struct slice){ bytes->ptr + whole, bytes->len - whole };
	return true;
}

static u32 u32_of(struct slice value)
{
	u32 number = 0;

	if (value.len == sizeof(number))
		memcpy(&number, value.ptr, sizeof(number));
	return number;
}

static u16 u16_of(struct slice value)
{
	u16 number = 0;

	if (value.len == sizeof(number))
		memcpy(&number, value.ptr, sizeof(number));
	return number;
}

/* Cut to what fits; always with its NUL. */
static void text_of(struct slice value, char *out, size_t size)
{
	size_t len = strnlen(value.ptr, value.len);

	len = min_size(len, size - 1);
	memcpy(out, value.ptr, len);
	out[len] = '\0';
}

static void mac_of(struct slice value, u8 mac[6])
{
	if (value.len == 6)
		memcpy(mac, value.ptr, 6);
}

static void address_of(struct slice value, u8 family, struct net_address *address)
{
	size_t want = family == AF_INET6 ? 16 : 4;

	if (value.len != want)
		return;
	*address = (struct net_address){ .family = family == AF_INET6 ? 6 : 4 };
	memcpy(address->ip, value.ptr, want);
}

static void read_link_data(struct network_link *link, struct slice bytes)
{
	struct attribute a;

	while (take_attribute(&bytes, &a)) {
		if (strcmp(link->kind, "vlan") == 0 && a.type == IFLA_VLAN_ID)
			link->vlan_id = u16_of(a.value);
		else if (strcmp(link->kind, "bond") == 0 && a.type == IFLA_BOND_MODE &&
			 a.value.len == 1)
			link->bond_mode = (u8)a.value.ptr[0];
	}
}

static void read_link_info(struct network_link *link, struct slice bytes)
{
	struct slice data = { NULL, 0 };
	struct attribute a;

	while (take_attribute(&bytes, &a)) {
		if (a.type == IFLA_INFO_KIND)
			text_of(a.value, link->kind, sizeof(link->kind));
		else if (a.type == IFLA_INFO_DATA)
			data = a.value;
	}
	read_link_data(link, data);
}

static bool read_link(struct network_link *link, struct slice bytes)
{
	struct ifinfomsg head;
	struct attribute a;

	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	/* Families of their own (bridges) tell of the same links, and less. */
	if (head.ifi_family != AF_UNSPEC)
		return false;
	*link = (struct network_link){ .index = (u32)head.ifi_index,
				       .type = head.ifi_type,
				       .flags = head.ifi_flags };
	bytes = (struct slice){ bytes.ptr + sizeof(head), bytes.len - sizeof(head) };
	while (take_attribute(&bytes, &a)) {
		if (a.type == IFLA_IFNAME)
			text_of(a.value, link->name, sizeof(link->name));
		else if (a.type == IFLA_ADDRESS)
			mac_of(a.value, link->mac);
		else if (a.type == IFLA_PERM_ADDRESS)
			mac_of(a.value, link->permanent_mac);
		else if (a.type == IFLA_MTU)
			link->mtu = u32_of(a.value);
		else if (a.type == IFLA_MASTER)
			link->master = u32_of(a.value);
		else if (a.type == IFLA_LINK)
			link->parent = u32_of(a.value);
		else if (a.type == IFLA_LINKINFO)
			read_link_info(link, a.value);
	}
	return link->index > 0 && link->name[0] != '\0';
}

static bool read_address(struct network_address *address, struct slice bytes)
{
	struct net_address local = { .family = 0 };
	struct net_address peer = { .family = 0 };
	struct ifaddrmsg head;
	struct attribute a;

	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	*address = (struct network_address){ .index = head.ifa_index,
					     .flags = head.ifa_flags,
					     .scope = head.ifa_scope };
	bytes = (struct slice){ bytes.ptr + sizeof(head), bytes.len - sizeof(head) };
	while (take_attribute(&bytes, &a)) {
		if (a.type == IFA_LOCAL)
			address_of(a.value, head.ifa_family, &local);
		else if (a.type == IFA_ADDRESS)
			address_of(a.value, head.ifa_family, &peer);
		else if (a.type == IFA_FLAGS)
			address->flags = u32_of(a.value);
	}
	address->prefix.address = local.family ? local : peer;
	address->prefix.bits = head.ifa_prefixlen;
	return address->prefix.address.family != 0;
}

static bool read_route(struct network_route *route, struct slice bytes)
{
	struct attribute a;
	struct rtmsg head;

	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	if ((head.rtm_family != AF_INET && head.rtm_family != AF_INET6) ||
	    head.rtm_type != RTN_UNICAST || (head.rtm_flags & RTM_F_CLONED))
		return false;
	*route = (struct network_route){ .protocol = head.rtm_protocol,
					 .onlink = head.rtm_flags & RTNH_F_ONLINK,
					 .table = head.rtm_table };
	route->to.address.family = head.rtm_family == AF_INET6 ? 6 : 4;
	route->to.bits = head.rtm_dst_len;
	bytes = (struct slice){ bytes.ptr + sizeof(head), bytes.len - sizeof(head) };
	while (take_attribute(&bytes, &a)) {
		if (a.type == RTA_DST)
			address_of(a.value, head.rtm_family, &route->to.address);
		else if (a.type == RTA_GATEWAY)
			address_of(a.value, head.rtm_family, &route->gateway);
		else if (a.type == RTA_PREFSRC)
			address_of(a.value, head.rtm_family, &route->source);
		else if (a.type == RTA_OIF)
			route->index = u32_of(a.value);
		else if (a.type == RTA_PRIORITY)
			route->metric = u32_of(a.value);
		else if (a.type == RTA_TABLE)
			route->table = u32_of(a.value);
	}
	return true;
}

static bool read_rule(struct network_rule *rule, struct slice bytes)
{
	struct fib_rule_hdr head;
	struct attribute a;

	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	if ((head.family != AF_INET && head.family != AF_INET6) || head.action != FR_ACT_TO_TBL)
		return false;
	*rule = (struct network_rule){ .family = head.family == AF_INET6 ? 6 : 4,
				       .table = head.table };
	rule->from.address.family = rule->family;
	rule->from.bits = head.src_len;
	bytes = (struct slice){ bytes.ptr + sizeof(head), bytes.len - sizeof(head) };
	while (take_attribute(&bytes, &a)) {
		if (a.type == FRA_SRC)
			address_of(a.value, head.family, &rule->from.address);
		else if (a.type == FRA_PRIORITY)
			rule->priority = u32_of(a.value);
		else if (a.type == FRA_TABLE)
			rule->table = u32_of(a.value);
		else if (a.type == FRA_SUPPRESS_PREFIXLEN)
			rule->no_defaults = u32_of(a.value) == 0;
		else if (a.type == FRA_PROTOCOL && a.value.len == 1)
			rule->protocol = (u8)a.value.ptr[0];
	}
	return true;
}

/* RFC 8106 section 5.1: type, length in units of 8 bytes, reserved, lifetime, addresses. */
static bool read_advertised(struct message *message, struct slice bytes)
{
	struct nduseroptmsg head;
	const u8 *option;
	u32 lifetime;
	size_t len;

	if (bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.ptr, sizeof(head));
	bytes = (struct slice){ bytes.ptr + sizeof(head), bytes.len - sizeof(head) };
	len = min_size(head.nduseropt_opts_len, bytes.len);
	option = (const u8 *)bytes.ptr;
	if (head.nduseropt_family != AF_INET6 || len < 8 || option[0] != ND_OPTION_RDNSS)
		return false;
	len = min_size(len, (size_t)option[1] * 8);
	lifetime = (u32)option[4] << 24 | (u32)option[5] << 16 | (u32)option[6] << 8 | option[7];
	message->advertised.count = 0;
	for (size_t at = 8; at + 16 <= len; at += 16) {
		struct network_advertised *item;

		if (message->advertised.count == MESSAGE_ADVERTISED_MAX)
			break;
		item = &message->advertised.items[message->advertised.count++];
		*item = (struct network_advertised){ .index = (u32)head.nduseropt_ifindex,
						     .address = { .family = 6 },
						     .lifetime_s = lifetime };
		memcpy(item->address.ip, option + at, 16);
	}
	return message->advertised.count > 0;
}

static i32 code_of(struct slice bytes)
{
	i32 code = 0;

	if (bytes.len >= sizeof(code))
		memcpy(&code, bytes.ptr, sizeof(code));
	return code < 0 ? -code : code;
}

static enum message_kind read_content(struct message *message, u16 type, struct slice bytes)
{
	switch (type) {
	case RTM_NEWLINK:
		return read_link(&message->link, bytes) ? MESSAGE_LINK : MESSAGE_OTHER;
	case RTM_DELLINK:
		return read_link(&message->link, bytes) ? MESSAGE_LINK_GONE : MESSAGE_OTHER;
	case RTM_NEWADDR:
		return read_address(&message->address, bytes) ? MESSAGE_ADDRESS : MESSAGE_OTHER;
	case RTM_DELADDR:
		return read_address(&message->address, bytes) ? MESSAGE_ADDRESS_GONE
							      : MESSAGE_OTHER;
	case RTM_NEWROUTE:
		return read_route(&message->route, bytes) ? MESSAGE_ROUTE : MESSAGE_OTHER;
	case RTM_DELROUTE:
		return read_route(&message->route, bytes) ? MESSAGE_ROUTE_GONE : MESSAGE_OTHER;
	case RTM_NEWRULE:
		return read_rule(&message->rule, bytes) ? MESSAGE_RULE : MESSAGE_OTHER;
	case RTM_DELRULE:
		return read_rule(&message->rule, bytes) ? MESSAGE_RULE_GONE : MESSAGE_OTHER;
	case RTM_NEWNDUSEROPT:
		return read_advertised(message, bytes) ? MESSAGE_ADVERTISED : MESSAGE_OTHER;
	case NLMSG_DONE:
		message->code = code_of(bytes);
		return MESSAGE_DONE;
	case NLMSG_ERROR:
		message->code = code_of(bytes);
		return MESSAGE_ACK;
	default:
		return MESSAGE_OTHER;
	}
}

bool message_take(struct slice *bytes, struct message *message)
{
	struct nlmsghdr h;
	size_t whole;

	if (bytes->len < sizeof(h))
		return false;
	memcpy(&h, bytes->ptr, sizeof(h));
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > bytes->len)
		return false;
	memset(message, 0, sizeof(*message));
	message->sequence = h.nlmsg_seq;
	message->interrupted = h.nlmsg_flags & NLM_F_DUMP_INTR;
	message->kind = read_content(message, h.nlmsg_type,
				     (struct slice){ bytes->ptr + sizeof(h),
						     h.nlmsg_len - sizeof(h) });
	whole = min_size(NLMSG_ALIGN(h.nlmsg_len), bytes->len);
	*bytes = (struct slice){ bytes->ptr + whole, bytes->len - whole };
	return true;
}
