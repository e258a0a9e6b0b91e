#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/lookup.h"
#include "dns/record_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 2000
#define INTERVAL_MS 1000
#define COUNT_MAX 100
#define PAYLOAD "hikyaku ping"

struct ping {
	int fd;
	bool is_v6;
	u16 sequence;
	u32 answered;
	u64 sum_us;
};

/* The address of the name: IPv4 first, since that is what mail mostly goes by. */
static bool find_address(const struct console *console, const char *typed,
			 struct net_address *address, struct error *error)
{
	static const u16 types[] = { RECORD_A, RECORD_AAAA };
	char name[QUESTION_NAME_SIZE];
	struct lookup_dns dns;
	bool is_found = false;

	if (net_address_parse(address, slice_of(typed), false))
		return true;
	if (!lookup_name(typed, name))
		return error_set(error, "\"%.64s\" is neither a name nor an address", typed);
	if (!lookup_open(console, &dns, error))
		return false;
	error_set(error, "%.200s has no address", name);
	for (size_t i = 0; i < array_count(types) && !is_found; i++) {
		struct question_answer answer;

		question_ask(dns.asker, name, types[i], LOOKUP_TIMEOUT_MS, &answer);
		is_found = answer.count > 0 && answer.records[0].len == (i == 0 ? 4 : 16);
		*address = (struct net_address){ .family = i == 0 ? 4 : 6 };
		if (is_found)
			memcpy(address->ip, answer.records[0].bytes, answer.records[0].len);
		else if (answer.status != QUESTION_NO_DATA)
			error_set(error, "%.200s: %s", name, question_status_text(answer.status));
		question_answer_done(&answer);
	}
	lookup_close(&dns);
	return is_found;
}

/* A socket for echoes that needs no right: the kernel lets groups of ping_group_range have them. */
static bool open_socket(struct ping *ping, const struct net_address *address, struct error *error)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	int code;

	ping->is_v6 = address->family == 6;
	memcpy(&to6.sin6_addr, address->ip, 16);
	memcpy(&to4.sin_addr, address->ip, 4);
	ping->fd = ping->is_v6 ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6)
			       : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (ping->fd < 0)
		return error_set_errno(error, errno, "no socket for ping");
	code = ping->is_v6 ? connect(ping->fd, (struct sockaddr *)&to6, sizeof(to6))
			   : connect(ping->fd, (struct sockaddr *)&to4, sizeof(to4));
	if (code == 0)
		return true;
	error_set_errno(error, errno, "there is no way there");
	close(ping->fd);
	return false;
}

static bool send_echo(struct ping *ping)
{
	u8 packet[8 + sizeof(PAYLOAD)] = { ping->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO };

	ping->sequence++;
	packet[6] = (u8)(ping->sequence >> 8);
	packet[7] = (u8)ping->sequence;
	memcpy(packet + 8, PAYLOAD, sizeof(PAYLOAD));
	return send(ping->fd, packet, sizeof(packet), 0) == (ssize_t)sizeof(packet);
}

/* Answers to earlier echoes are passed over. False: none in time; errno 0 or why. */
static bool wait_for_echo(struct ping *ping, u64 until_ns)
{
	struct pollfd ready = { .fd = ping->fd, .events = POLLIN };
	u64 now_ns;
	u8 packet[256];

	errno = 0;
	while ((now_ns = clock_mono_ns()) < until_ns) {
		ssize_t n;

		if (poll(&ready, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) <= 0)
			continue;
		n = recv(ping->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n >= 8 && (packet[6] << 8 | packet[7]) == ping->sequence)
			return true;
		errno = 0;
	}
	return false;
}

static void ping_once(struct ping *ping, const char *address)
{
	u64 begin_ns = clock_mono_ns();
	u64 took_us;

	if (!send_echo(ping) || !wait_for_echo(ping, begin_ns + WAIT_MS * NS_PER_MS)) {
		printf("%s: no answer%s%s\n", address, errno ? ": " : "",
		       errno ? strerror(errno) : "");
		return;
	}
	took_us = (clock_mono_ns() - begin_ns) / 1000;
	ping->answered++;
	ping->sum_us += took_us;
	printf("%s: answer %u after %.2f ms\n", address, ping->sequence, (double)took_us / 1000);
}

int ping_run(struct console *console, int argc, char **argv)
{
	char text[NET_ADDRESS_TEXT_SIZE];
	struct ping ping = { .fd = -1 };
	struct net_address address;
	struct error error;
	u64 count = 4;
	const struct option options[] = {
		{ "count", OPTION_NUMBER, &count, "N", "how many times (4)", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (count < 1 || count > COUNT_MAX)
		return console_fail(console, CONSOLE_USAGE, "--count must be 1 to %d", COUNT_MAX);
	if (!find_address(console, argv[0], &address, &error) ||
	    !open_socket(&ping, &address, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	net_address_format(text, &address, false);
	for (u64 i = 0; i < count; i++) {
		if (i > 0)
			poll(NULL, 0, INTERVAL_MS);
		ping_once(&ping, text);
	}
	close(ping.fd);
	printf("%u of %u answered", ping.answered, (unsigned)count);
	if (ping.answered > 0)
		printf(", %.2f ms on average", (double)ping.sum_us / ping.answered / 1000);
	putchar('\n');
	return ping.answered > 0 ? CONSOLE_OK : CONSOLE_FAILED;
}
