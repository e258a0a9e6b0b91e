#include "send/selftest_sink.h"

#include "base/clock.h"
#include "base/net_address.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* of commands and of the message: RFC 5321 has less */

struct dialogue {
	int fd;
	u64 deadline_ns;
	char bytes[LINE_MAX_BYTES];
	size_t len;  /* read */
	size_t used; /* of them, by lines */
};

int selftest_sink_open(const char *at, struct error *error)
{
	struct net_address address;
	struct sockaddr_in socket_address = { .sin_family = AF_INET };
	int yes = 1;
	int fd;

	if (!net_address_parse(&address, slice_of(at), true) || address.family != 4) {
		error_set(error, "%s is no IPv4 address with a port", at);
		return -1;
	}
	socket_address.sin_port = htons(address.port);
	memcpy(&socket_address.sin_addr, address.ip, sizeof(socket_address.sin_addr));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&socket_address, sizeof(socket_address)) < 0 ||
	    listen(fd, 4) < 0) {
		error_set_errno(error, errno, "cannot listen at %s", at);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool wait_for(int fd, short events, u64 deadline_ns)
{
	struct pollfd wait = { .fd = fd, .events = events };

	for (;;) {
		u64 now_ns = clock_mono_ns();
		int n;

		if (now_ns >= deadline_ns)
			return false;
		n = poll(&wait, 1, (int)((deadline_ns - now_ns) / NS_PER_MS) + 1);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static bool say(struct dialogue *dialogue, const char *line)
{
	size_t len = strlen(line);

	/* A few short lines: they fit any socket's buffer. */
	return wait_for(dialogue->fd, POLLOUT, dialogue->deadline_ns) &&
	       send(dialogue->fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* The next line without its CRLF, valid until the next call. */
static bool next_line(struct dialogue *dialogue, struct slice *line)
{
	memmove(dialogue->bytes, dialogue->bytes + dialogue->used, dialogue->len - dialogue->used);
	dialogue->len -= dialogue->used;
	dialogue->used = 0;
	for (;;) {
		struct slice have = { dialogue->bytes, dialogue->len };
		i64 end = slice_find(have, SLICE("\r\n"));
		ssize_t n;

		if (end >= 0) {
			*line = slice_first(have, (size_t)end);
			dialogue->used = (size_t)end + 2;
			return true;
		}
		if (dialogue->len == sizeof(dialogue->bytes) ||
		    !wait_for(dialogue->fd, POLLIN, dialogue->deadline_ns))
			return false;
		n = recv(dialogue->fd, dialogue->bytes + dialogue->len,
			 sizeof(dialogue->bytes) - dialogue->len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		dialogue->len += n > 0 ? (size_t)n : 0;
	}
}

static bool take_content(struct dialogue *dialogue, struct buf *message)
{
	struct slice line;

	buf_reset(message);
	while (next_line(dialogue, &line)) {
		if (slice_equal(line, SLICE(".")))
			return !message->failed && say(dialogue, "250 2.0.0 taken\r\n");
		if (slice_has_prefix(line, SLICE(".")))
			line = slice_from(line, 1);
		buf_add_slice(message, line);
		buf_add_text(message, "\r\n");
	}
	return false;
}

/* True once a message is in; the client may say more and is not listened to. */
static bool converse(struct dialogue *dialogue, struct buf *message)
{
	struct slice line;

	if (!say(dialogue, "220 selftest.invalid ESMTP\r\n"))
		return false;
	while (next_line(dialogue, &line)) {
		struct slice rest = line;
		struct slice verb = slice_split(&rest, ' ');
		const char *answer = "502 5.5.1 not here\r\n";

		if (slice_equal_nocase(verb, SLICE("QUIT")))
			return false;
		if (slice_equal_nocase(verb, SLICE("DATA"))) {
			if (!say(dialogue, "354 go on\r\n"))
				return false;
			return take_content(dialogue, message);
		}
		if (slice_equal_nocase(verb, SLICE("EHLO")) ||
		    slice_equal_nocase(verb, SLICE("HELO")))
			answer = "250 selftest.invalid\r\n";
		else if (slice_equal_nocase(verb, SLICE("MAIL")) ||
			 slice_equal_nocase(verb, SLICE("RCPT")) ||
			 slice_equal_nocase(verb, SLICE("RSET")) ||
			 slice_equal_nocase(verb, SLICE("NOOP")))
			answer = "250 2.0.0 ok\r\n";
		if (!say(dialogue, answer))
			return false;
	}
	return false;
}

bool selftest_sink_take(int listener, struct buf *message, u64 deadline_ns, struct error *error)
{
	struct dialogue dialogue = { .deadline_ns = deadline_ns };
	bool is_taken = false;

	while (!is_taken && wait_for(listener, POLLIN, deadline_ns)) {
		dialogue.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (dialogue.fd < 0)
			continue;
		dialogue.len = dialogue.used = 0;
		is_taken = converse(&dialogue, message);
		close(dialogue.fd);
	}
	return is_taken || error_set(error, "no message arrived in time");
}
