#include "init/network.h"

#include "base/log.h"
#include "base/text.h"
#include "init/network_private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_SIZE (256 * 1024) /* more than the kernel puts into one datagram */
#define SOCKET_BUFFER (4 * 1024 * 1024)
#define OUTPUT_MAX (4 * 1024 * 1024)
#define DATAGRAM_MAX (16 * 1024)
#define READS_A_RUN 256
#define ROUNDS_A_RUN 8
/* A carrier that is away for less is no reason for a DHCP client to begin anew. */
#define CARRIER_GRACE_MS 3000
#define OWED_MS 10000
#define LOOK_AGAIN_MS (5 * 60 * 1000) /* whatever was missed is seen then */

static const u16 dumps[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE };
#define NETWORK_DUMPS array_count(dumps)

static int open_socket(struct error *error)
{
	static const int groups[] = { RTNLGRP_LINK,	   RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
					    RTNLGRP_IPV6_RULE,  RTNLGRP_ND_USEROPT };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int size = SOCKET_BUFFER;
	int one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		error_set_errno(error, errno, "rtnetlink");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (size_t i = 0; i < array_count(groups); i++) {
		/* A kernel without IPv6 has no such groups, and nothing to tell of it. */
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			log_warn("network", "no news", "group=%d error=%s", groups[i],
				 strerror(errno));
	}
	/* Refusals need not repeat what was asked; a small buffer only means more looks anew. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		log_debug("network", "socket option", "error=%s", strerror(errno));
	return fd;
}

static void send_dump(struct network *network)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	buf_reset(&network->output);
	message_dump(&network->output, dumps[network->dump]);
	network->dump_sequence = ++network->attempts.sequence;
	message_set_sequence(&network->output, 0, network->dump_sequence);
	if (network->output.failed ||
	    sendto(network->fd, network->output.ptr, network->output.len, MSG_NOSIGNAL,
		   (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		log_error("network", "cannot look", "error=%s", strerror(errno));
		network->dump = NETWORK_DUMPS;
		network->dump_ms = network->now_ms + 1000;
	}
}

static void begin_dumps(struct network *network)
{
	network_state_begin(&network->state);
	network->dump = 0;
	network->again = false;
	network->unanswered = 0;
	network->dump_ms = network->now_ms + LOOK_AGAIN_MS;
	send_dump(network);
}

struct network *network_new(struct error *error)
{
	struct network *network = calloc(1, sizeof(*network));

	if (!network) {
		error_set(error, "network: out of memory");
		return NULL;
	}
	network->fd = -1;
	buf_init(&network->output, OUTPUT_MAX);
	network->input = malloc(INPUT_SIZE);
	if (!network->input || !network_state_init(&network->state)) {
		error_set(error, "network: out of memory");
		network_free(network);
		return NULL;
	}
	network->fd = open_socket(error);
	if (network->fd < 0) {
		network_free(network);
		return NULL;
	}
	network->plan_ms = UINT64_MAX;
	begin_dumps(network);
	return network;
}

void network_free(struct network *network)
{
	if (!network)
		return;
	if (network->fd >= 0)
		close(network->fd);
	network_wanted_done(&network->wanted);
	network_state_done(&network->state);
	buf_done(&network->output);
	free(network->input);
	free(network);
}

int network_fd(const struct network *network)
{
	return network->fd;
}

bool network_configure(struct network *network, const struct appliance *appliance, u64 now_ms,
		       struct error *error)
{
	if (!network_wanted_set(&network->wanted, appliance))
		return error_set(error, "network: out of memory");
	network->now_ms = now_ms;
	network->configured = true;
	network->dirty = true;
	memset(network->attempts.items, 0, sizeof(network->attempts.items));
	return true;
}

/* ---- what the kernel says ---- */

static void on_dump_end(struct network *network, const struct message *message)
{
	if (message->sequence != network->dump_sequence || network->dump == NETWORK_DUMPS)
		return;
	if (message->code != 0)
		log_error("network", "cannot look", "error=%s", strerror(message->code));
	network->again = network->again || message->interrupted;
	if (++network->dump < NETWORK_DUMPS) {
		send_dump(network);
		return;
	}
	if (network->again) {
		begin_dumps(network);
		return;
	}
	network_state_end(&network->state);
	network->dirty = true;
}

/* What is there already, or already gone, is as wanted; only our picture of it was not. */
static bool is_harmless(i32 code)
{
	return code == EEXIST || code == ESRCH || code == EADDRNOTAVAIL || code == ENODEV;
}

static void on_answer(struct network *network, const struct message *message)
{
	struct network_attempt *attempt;

	if (message->sequence == network->dump_sequence) {
		on_dump_end(network, message);
		return;
	}
	if (network->unanswered > 0)
		network->unanswered--;
	attempt = network_attempt_answer(&network->attempts, message->sequence, message->code,
					 network->now_ms);
	if (!attempt)
		return;
	if (message->code == 0) {
		log_info("network", "done", "what=%s", attempt->what);
		attempt->told = false;
		return;
	}
	if (is_harmless(message->code))
		network->dump_ms = min_u64(network->dump_ms, network->now_ms + 1000);
	else if (!attempt->told)
		log_warn("network", "refused", "what=%s error=%s", attempt->what,
			 strerror(message->code));
	attempt->told = true;
	network->plan_ms = min_u64(network->plan_ms, attempt->until_ms);
}

static void log_change(const struct network *network, const struct message *message)
{
	const struct network_known_link *known;
	char text[NET_PREFIX_TEXT_SIZE];

	if (message->kind == MESSAGE_LINK) {
		known = network_state_link(&network->state, message->link.index);
		if (known && known->carrier != !!(message->link.flags & IFF_LOWER_UP))
			log_info("network", "carrier", "interface=%s carrier=%s",
				 message->link.name, known->carrier ? "lost" : "there");
	} else if (message->kind == MESSAGE_ADDRESS &&
		   (message->address.flags & IFA_F_DADFAILED)) {
		known = network_state_link(&network->state, message->address.index);
		net_prefix_format(text, &message->address.prefix);
		log_error("network", "duplicate address", "interface=%s address=%s",
			  known ? known->link.name : "?", text);
	}
}

static void on_message(struct network *network, const struct message *message)
{
	network->again = network->again || message->interrupted;
	if (message->kind == MESSAGE_DONE) {
		on_dump_end(network, message);
	} else if (message->kind == MESSAGE_ACK) {
		on_answer(network, message);
	} else {
		log_change(network, message);
		if (network_state_apply(&network->state, message, network->now_ms))
			network->dirty = true;
	}
}

/* One datagram; false: there is none. */
static bool read_one(struct network *network)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof(from);
	struct message message;
	struct slice bytes;
	ssize_t got = recvfrom(network->fd, network->input, INPUT_SIZE, MSG_DONTWAIT,
			       (struct sockaddr *)&from, &size);

	if (got < 0 && errno == ENOBUFS) {
		log_warn("network", "news lost");
		begin_dumps(network);
		return true;
	}
	if (got < 0)
		return errno == EINTR;
	if (from.nl_pid != 0)
		return true;
	bytes = (struct slice){ network->input, (size_t)got };
	while (message_take(&bytes, &message))
		on_message(network, &message);
	return true;
}

/* ---- what is asked of it ---- */

/* In pieces that its buffer takes; a message is never cut. */
static void send_all(struct network *network)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct buf *out = &network->output;
	size_t begin = 0;
	size_t end = 0;

	while (begin < out->len) {
		while (end < out->len) {
			struct nlmsghdr h;

			memcpy(&h, out->ptr + end, sizeof(h));
			if (end > begin && end - begin + h.nlmsg_len > DATAGRAM_MAX)
				break;
			end += NLMSG_ALIGN(h.nlmsg_len);
		}
		if (sendto(network->fd, out->ptr + begin, end - begin, MSG_NOSIGNAL,
			   (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
			log_warn("network", "cannot ask", "error=%s", strerror(errno));
			network->plan_ms = min_u64(network->plan_ms, network->now_ms + 1000);
			network->unanswered = 0;
			return;
		}
		begin = end;
	}
}

static void make_plan(struct network *network)
{
	struct network_plan plan = { .wanted = &network->wanted,
				     .state = &network->state,
				     .leases = network->leases,
				     .lease_count = network->lease_count,
				     .attempts = &network->attempts,
				     .now_ms = network->now_ms,
				     .messages = &network->output };

	network->dirty = false;
	network->plan_ms = UINT64_MAX;
	buf_reset(&network->output);
	if (!network->configured) {
		network_plan_early(&plan);
	} else if (!network_plan_make(&plan)) {
		log_error("network", "out of memory");
		network->plan_ms = network->now_ms + 1000;
	}
	network->plan_ms = min_u64(network->plan_ms, plan.again_ms);
	network_write_settings(&plan);
	network->unanswered = plan.message_count;
	send_all(network);
	network_plan_done(&plan);
}

/* ---- DHCP clients ---- */

static bool wants_dhcp(const struct network *network, const struct network_known_link *known)
{
	const struct network_interface *interface =
		network_wanted_named(&network->wanted, known->link.name);

	if (!(known->link.flags & IFF_UP) || known->link.master != 0)
		return false;
	if (!known->carrier && (known->carrier_lost_ms == 0 ||
				network->now_ms >= known->carrier_lost_ms + CARRIER_GRACE_MS))
		return false;
	if (interface)
		return interface->method == APPLIANCE_DHCP;
	return network->wanted.interface_count == 0 && network_is_ethernet(&known->link);
}

static void list_dhcp(struct network *network)
{
	network->dhcp_count = 0;
	for (size_t i = 0; network->configured && i < network->state.link_count; i++) {
		const struct network_known_link *known = &network->state.links[i];

		if (network->dhcp_count < NETWORK_LEASES_MAX && wants_dhcp(network, known))
			slice_copy(network->dhcp[network->dhcp_count++], IFNAMSIZ,
				   slice_of(known->link.name));
	}
}

u32 network_dhcp_wanted(const struct network *network, const char **names, u32 max)
{
	u32 count = min_u32((u32)network->dhcp_count, max);

	for (u32 i = 0; i < count; i++)
		names[i] = network->dhcp[i];
	return count;
}

/* ---- the loop's ---- */

static void expire(struct network *network)
{
	for (size_t i = network->lease_count; i-- > 0;) {
		struct network_lease *lease = &network->leases[i];
		const struct network_interface *interface =
			network_wanted_named(&network->wanted, lease->interface);

		if (lease->until_ms <= network->now_ms)
			network_lease_drop(network, lease, "it ended");
		else if (network->wanted.interface_count > 0 &&
			 (!interface || interface->method != APPLIANCE_DHCP))
			network_lease_drop(network, lease, "not wanted any more");
	}
	if (network_state_expire(&network->state, network->now_ms))
		network->dirty = true;
}

static bool is_time_to_look(const struct network *network)
{
	bool is_owed = network->dump < NETWORK_DUMPS || network->unanswered > 0;

	return network->now_ms >= network->dump_ms + (is_owed ? OWED_MS : 0);
}

void network_run(struct network *network, u64 now_ms)
{
	network->now_ms = now_ms;
	for (u32 round = 0; round < ROUNDS_A_RUN; round++) {
		for (u32 i = 0; i < READS_A_RUN && read_one(network); i++)
			;
		expire(network);
		if (is_time_to_look(network)) {
			begin_dumps(network);
			continue;
		}
		if (network->dump < NETWORK_DUMPS || network->unanswered > 0 ||
		    (!network->dirty && now_ms < network->plan_ms))
			break;
		make_plan(network);
		if (network->unanswered == 0)
			break;
	}
	if (network->configured)
		network_write_resolvers(network);
	list_dhcp(network);
}

u64 network_next_ms(const struct network *network)
{
	u64 next = min_u64(network->plan_ms, network->dump_ms);

	/* While the kernel owes an answer, that wakes us; if it never comes, we look anew. */
	if (network->dump < NETWORK_DUMPS || network->unanswered > 0)
		return network->dump_ms + OWED_MS;
	if (network->dirty)
		return network->now_ms;
	for (size_t i = 0; i < network->lease_count; i++)
		next = min_u64(next, network->leases[i].until_ms);
	for (size_t i = 0; i < network->state.advertised_count; i++)
		next = min_u64(next, network->state.advertised[i].until_ms);
	for (size_t i = 0; i < network->state.link_count; i++) {
		const struct network_known_link *known = &network->state.links[i];
		u64 grace_ms = known->carrier_lost_ms + CARRIER_GRACE_MS;

		if (!known->carrier && known->carrier_lost_ms > 0 && grace_ms > network->now_ms)
			next = min_u64(next, grace_ms);
	}
	return next;
}

bool network_is_up(const struct network *network)
{
	for (size_t i = 0; i < network->state.address_count; i++) {
		const struct network_address *address = &network->state.addresses[i];
		const struct network_known_link *known =
			network_state_link(&network->state, address->index);

		if (known && known->carrier && !(known->link.flags & IFF_LOOPBACK) &&
		    address->scope == RT_SCOPE_UNIVERSE &&
		    !(address->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
			return true;
	}
	return false;
}
