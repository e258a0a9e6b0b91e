/*
 * bare_client: how fast one core can hand mail to a receiver when it does nothing else: no queue,
 * no DNS, no signature, no results. It is the ceiling that the product's unsigned rate is
 * measured against. One ring, one thread, direct descriptors, one message in flight a session.
 *
 * Modes: `bdat`  MAIL, RCPT, BDAT and the text in one send (RFC 3030);
 *        `data`  the text and the next message's MAIL, RCPT, DATA in one send (RFC 2920);
 *        `plain` MAIL, RCPT, DATA in one send, then the text alone;
 *        `steps` every command waits for the reply to the one before it.
 *
 * What the product leaves out because it did not win is tried here (bench/ways.py): --zero-copy sends
 * without copies, --registered from a registered buffer (plain and steps, where the text is a send
 * of its own), --sqpoll lets a kernel thread submit, --huge has the text on a huge page, --tls makes
 * records by OpenSSL or by the kernel, --napi looks into the card's queue before it sleeps.
 *
 * Any reply that is not 2xx or 3xx ends the run with status 1: a limit is measured without trouble.
 */
#include "bare_client.h"

#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SQ_ENTRIES 4096
#define CQ_ENTRIES 65536
#define POOL_GROUP 1
#define POOL_BUFFERS 1024
#define POOL_BUFFER_BYTES 1024
#define HEAD_BYTES 256
#define HUGE_BYTES (2u << 20)
#define CLEAR_BYTES 4096

/* <linux/io_uring.h> of 6.9 and newer. */
#define REGISTER_NAPI 27
struct napi {
	uint32_t busy_poll_us;
	uint8_t prefer_busy_poll;
	uint8_t pad[3];
	uint64_t reserved;
};

enum step { STEP_GREETING, STEP_EHLO, STEP_READY, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_TEXT,
	STEP_OVER };
enum op { OP_RECEIVE, OP_SEND };

struct session {
	enum step step;
	unsigned slot;
	unsigned expect;	/* replies not yet complete */
	unsigned column;	/* of the reply line that is coming in */
	bool last_line;
	bool next_begun;	/* MODE_DATA: the next message's commands are sent */
	char head[HEAD_BYTES];
	struct iovec parts[3];
	struct msghdr send;
	struct bare_tls *tls;
};

struct client {
	struct bare_options options;
	struct io_uring ring;
	struct io_uring_buf_ring *pool;
	char *pool_bytes;
	struct session *sessions;
	char *text;		/* in DATA's form, ends with CRLF . CRLF */
	size_t text_len;	/* without the final dot line */
	unsigned ready;		/* sessions past EHLO */
	unsigned over;
	uint64_t begun, done;
	double start, stop;
	struct rusage usage;
};

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct io_uring_sqe *take_sqe(struct client *c)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	if (!sqe) {
		io_uring_submit(&c->ring);
		sqe = io_uring_get_sqe(&c->ring);
		if (!sqe)
			bare_fail("the submission queue stays full");
	}
	return sqe;
}

static void arm_receive(struct client *c, unsigned slot)
{
	struct io_uring_sqe *sqe = take_sqe(c);

	io_uring_prep_recv_multishot(sqe, (int)slot, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
	sqe->buf_group = POOL_GROUP;
	io_uring_sqe_set_data64(sqe, (uint64_t)slot << 8 | OP_RECEIVE);
}

/* One piece; a registered buffer holds the text only. */
static void prepare_send(struct client *c, struct session *s, struct io_uring_sqe *sqe)
{
	const struct iovec *part = &s->parts[0];
	int flags = MSG_NOSIGNAL | MSG_WAITALL;

	if (c->options.way == SEND_COPY || part->iov_base != c->text)
		io_uring_prep_send(sqe, (int)s->slot, part->iov_base, part->iov_len, flags);
	else if (c->options.way == SEND_ZERO_COPY)
		io_uring_prep_send_zc(sqe, (int)s->slot, part->iov_base, part->iov_len, flags, 0);
	else
		io_uring_prep_send_zc_fixed(sqe, (int)s->slot, part->iov_base, part->iov_len, flags,
			0, 0);
}

/* The kernel's TLS refuses WAITALL, so what it did not take is sent here (`on_sent`). */
static void send_to_kernel_tls(struct client *c, struct session *s)
{
	struct io_uring_sqe *sqe = take_sqe(c);

	io_uring_prep_sendmsg(sqe, (int)s->slot, &s->send, MSG_NOSIGNAL);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, (uint64_t)s->slot << 8 | OP_SEND);
}

static void on_sent(struct client *c, struct session *s, size_t sent)
{
	while (s->send.msg_iovlen && sent >= s->send.msg_iov->iov_len) {
		sent -= s->send.msg_iov->iov_len;
		s->send.msg_iov++;
		s->send.msg_iovlen--;
	}
	if (!s->send.msg_iovlen)
		return;
	s->send.msg_iov->iov_base = (char *)s->send.msg_iov->iov_base + sent;
	s->send.msg_iov->iov_len -= sent;
	send_to_kernel_tls(c, s);
}

/* Sends `parts`; WAITALL makes the ring finish what the socket does not take at once. */
static void send_parts(struct client *c, struct session *s, unsigned count, unsigned replies)
{
	struct io_uring_sqe *sqe;

	s->expect = replies;
	if (c->options.tls == TLS_MEMORY) {
		s->parts[0].iov_len = bare_tls_seal(s->tls, s->parts, count, &s->parts[0].iov_base);
		count = 1;
	}
	s->send = (struct msghdr){ .msg_iov = s->parts, .msg_iovlen = count };
	if (c->options.tls == TLS_KERNEL) {
		send_to_kernel_tls(c, s);
		return;
	}
	sqe = take_sqe(c);
	if (count == 1)
		prepare_send(c, s, sqe);
	else if (c->options.way == SEND_ZERO_COPY)
		io_uring_prep_sendmsg_zc(sqe, (int)s->slot, &s->send, MSG_NOSIGNAL | MSG_WAITALL);
	else
		io_uring_prep_sendmsg(sqe, (int)s->slot, &s->send, MSG_NOSIGNAL | MSG_WAITALL);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, (uint64_t)s->slot << 8 | OP_SEND);
}

static void send_text(struct client *c, struct session *s, int len, unsigned replies)
{
	s->parts[0] = (struct iovec){ s->head, (size_t)len };
	send_parts(c, s, 1, replies);
}

/* Takes a message to send; false: enough. */
static bool begin(struct client *c)
{
	const struct bare_options *o = &c->options;

	if ((o->messages && c->begun >= o->messages) ||
	    (o->seconds > 0 && now_seconds() >= c->start + o->seconds))
		return false;
	c->begun++;
	return true;
}

static void end_session(struct client *c, struct session *s)
{
	s->step = STEP_OVER;
	if (++c->over == c->options.sessions)
		c->stop = now_seconds();
}

static int mail_and_rcpt(struct client *c, struct session *s)
{
	return snprintf(s->head, sizeof(s->head),
		"MAIL FROM:<bench@sender.test>\r\nRCPT TO:<user%llu@receiver.test>\r\n",
		(unsigned long long)c->begun);
}

static int mail_rcpt_data(struct client *c, struct session *s)
{
	int len = mail_and_rcpt(c, s);

	return len + snprintf(s->head + len, sizeof(s->head) - (size_t)len, "DATA\r\n");
}

static void next_bdat(struct client *c, struct session *s)
{
	int len;

	if (s->step == STEP_TEXT)
		c->done++;
	if (!begin(c)) {
		end_session(c, s);
		return;
	}
	len = mail_and_rcpt(c, s);
	len += snprintf(s->head + len, sizeof(s->head) - (size_t)len, "BDAT %zu LAST\r\n",
		c->text_len);
	s->parts[0] = (struct iovec){ s->head, (size_t)len };
	s->parts[1] = (struct iovec){ c->text, c->text_len };
	s->step = STEP_TEXT;
	send_parts(c, s, 2, 3);
}

static void next_data(struct client *c, struct session *s)
{
	if (s->step == STEP_READY) {
		if (!begin(c)) {
			end_session(c, s);
			return;
		}
		s->step = STEP_TEXT;
		s->next_begun = true;
		send_text(c, s, mail_rcpt_data(c, s), 3);
		return;
	}
	/* The reply to the text before this one came together with the 354. */
	if (s->step == STEP_DATA)
		c->done++;
	if (!s->next_begun) {
		end_session(c, s);
		return;
	}
	s->next_begun = begin(c);
	s->parts[0] = (struct iovec){ c->text, c->text_len + 3 };
	s->step = STEP_DATA;
	if (!s->next_begun) {
		send_parts(c, s, 1, 1);
		return;
	}
	s->parts[1] = (struct iovec){ s->head, (size_t)mail_rcpt_data(c, s) };
	send_parts(c, s, 2, 4);
}

static void next_plain(struct client *c, struct session *s)
{
	if (s->step == STEP_DATA) {
		s->step = STEP_TEXT;
		s->parts[0] = (struct iovec){ c->text, c->text_len + 3 };
		send_parts(c, s, 1, 1);
		return;
	}
	if (s->step == STEP_TEXT)
		c->done++;
	if (!begin(c)) {
		end_session(c, s);
		return;
	}
	s->step = STEP_DATA;
	send_text(c, s, mail_rcpt_data(c, s), 3);
}

static void next_steps(struct client *c, struct session *s)
{
	switch (s->step) {
	case STEP_TEXT:
		c->done++;
		/* fall through */
	case STEP_READY:
		if (!begin(c)) {
			end_session(c, s);
			return;
		}
		s->step = STEP_MAIL;
		send_text(c, s, snprintf(s->head, sizeof(s->head),
			"MAIL FROM:<bench@sender.test>\r\n"), 1);
		break;
	case STEP_MAIL:
		s->step = STEP_RCPT;
		send_text(c, s, snprintf(s->head, sizeof(s->head),
			"RCPT TO:<user%llu@receiver.test>\r\n", (unsigned long long)c->begun), 1);
		break;
	case STEP_RCPT:
		s->step = STEP_DATA;
		send_text(c, s, snprintf(s->head, sizeof(s->head), "DATA\r\n"), 1);
		break;
	default:
		s->step = STEP_TEXT;
		s->parts[0] = (struct iovec){ c->text, c->text_len + 3 };
		send_parts(c, s, 1, 1);
		break;
	}
}

static void next_message_step(struct client *c, struct session *s)
{
	if (c->options.mode == MODE_BDAT)
		next_bdat(c, s);
	else if (c->options.mode == MODE_DATA)
		next_data(c, s);
	else if (c->options.mode == MODE_PLAIN)
		next_plain(c, s);
	else
		next_steps(c, s);
}

/* All sessions have said EHLO: the clock starts here, so connecting is not in the figure. */
static void start_all(struct client *c)
{
	getrusage(RUSAGE_SELF, &c->usage);
	c->start = now_seconds();
	for (unsigned i = 0; i < c->options.sessions; i++)
		next_message_step(c, &c->sessions[i]);
}

static void on_replies(struct client *c, struct session *s)
{
	if (s->step == STEP_GREETING) {
		s->step = STEP_EHLO;
		send_text(c, s, snprintf(s->head, sizeof(s->head), "EHLO sender.test\r\n"), 1);
	} else if (s->step == STEP_EHLO) {
		s->step = STEP_READY;
		if (++c->ready == c->options.sessions)
			start_all(c);
	} else if (s->step != STEP_OVER) {
		next_message_step(c, s);
	}
}

static void on_bytes(struct client *c, struct session *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->column == 0 && bytes[i] != '2' && bytes[i] != '3')
			bare_fail("refused: %.*s", (int)(len - i), bytes + i);
		if (s->column == 3)
			s->last_line = bytes[i] == ' ';
		s->column++;
		if (bytes[i] != '\n')
			continue;
		s->column = 0;
		if (s->last_line && s->expect && --s->expect == 0)
			on_replies(c, s);
	}
}

static void on_records(struct client *c, struct session *s, const char *bytes, size_t len)
{
	char clear[CLEAR_BYTES];
	size_t got;

	if (!s->tls) {
		on_bytes(c, s, bytes, len);
		return;
	}
	bare_tls_feed(s->tls, bytes, len);
	while ((got = bare_tls_read(s->tls, clear, sizeof(clear))) > 0)
		on_bytes(c, s, clear, got);
}

static void on_completion(struct client *c, const struct io_uring_cqe *cqe)
{
	struct session *s = &c->sessions[cqe->user_data >> 8];

	if ((cqe->user_data & 0xff) == OP_SEND) {
		if (!(cqe->flags & IORING_CQE_F_NOTIF) && cqe->res <= 0)
			bare_fail("send: %s", strerror(-cqe->res));
		if (c->options.tls == TLS_KERNEL)
			on_sent(c, s, (size_t)cqe->res);
		return;
	}
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		char *bytes = c->pool_bytes + (size_t)id * POOL_BUFFER_BYTES;

		if (cqe->res > 0)
			on_records(c, s, bytes, (size_t)cqe->res);
		io_uring_buf_ring_add(c->pool, bytes, POOL_BUFFER_BYTES, (unsigned short)id,
			io_uring_buf_ring_mask(POOL_BUFFERS), 0);
		io_uring_buf_ring_advance(c->pool, 1);
	}
	if (cqe->res == 0 || (cqe->res < 0 && cqe->res != -ENOBUFS))
		bare_fail("receive: %s", cqe->res ? strerror(-cqe->res) : "closed");
	if (!(cqe->flags & IORING_CQE_F_MORE))
		arm_receive(c, s->slot);
}

static void make_text(struct client *c)
{
	static const char header[] =
		"From: Bench <bench@sender.test>\r\nTo: <user@receiver.test>\r\n"
		"Subject: A message of a campaign\r\nDate: Mon, 03 Jun 2024 09:00:00 +0900\r\n"
		"Message-ID: <1.bench@sender.test>\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n\r\n";
	size_t size = c->options.size, len = sizeof(header) - 1;

	if (size < len + 2)
		size = len + 2;
	if (posix_memalign((void **)&c->text, HUGE_BYTES, (size + 5 + HUGE_BYTES) & ~(HUGE_BYTES - 1)))
		bare_fail("out of memory");
	if (madvise(c->text, (size + 5 + HUGE_BYTES) & ~(HUGE_BYTES - 1),
		c->options.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0 && c->options.huge)
		bare_fail("madvise: %m");
	memcpy(c->text, header, len);
	for (size_t column = 0; len < size - 2; column++) {
		if (column == 72 && len + 4 <= size - 2) {
			memcpy(c->text + len, "\r\n", 2);
			len += 2;
			column = 0;
		}
		c->text[len++] = (char)('a' + column % 26);
	}
	memcpy(c->text + len, "\r\n.\r\n", 5);
	c->text_len = len + 2;
}

static void make_ring(struct client *c)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
			(c->options.sqpoll ? IORING_SETUP_SQPOLL : IORING_SETUP_DEFER_TASKRUN),
		.cq_entries = CQ_ENTRIES,
		.sq_thread_idle = 50,
	};
	struct io_uring_buf_reg reg = { .ring_entries = POOL_BUFFERS, .bgid = POOL_GROUP };
	int mask = io_uring_buf_ring_mask(POOL_BUFFERS);
	int r = io_uring_queue_init_params(SQ_ENTRIES, &c->ring, &params);

	if (r < 0)
		bare_fail("io_uring_setup: %s", strerror(-r));
	if (posix_memalign((void **)&c->pool, 4096, POOL_BUFFERS * sizeof(struct io_uring_buf)) ||
	    posix_memalign((void **)&c->pool_bytes, 4096, POOL_BUFFERS * POOL_BUFFER_BYTES))
		bare_fail("out of memory");
	reg.ring_addr = (uint64_t)(uintptr_t)c->pool;
	r = io_uring_register_buf_ring(&c->ring, &reg, 0);
	if (r < 0)
		bare_fail("buffer ring: %s", strerror(-r));
	io_uring_buf_ring_init(c->pool);
	for (int i = 0; i < POOL_BUFFERS; i++)
		io_uring_buf_ring_add(c->pool, c->pool_bytes + (size_t)i * POOL_BUFFER_BYTES,
			POOL_BUFFER_BYTES, (unsigned short)i, mask, i);
	io_uring_buf_ring_advance(c->pool, POOL_BUFFERS);
	r = io_uring_register_files_sparse(&c->ring, c->options.sessions);
	if (r < 0)
		bare_fail("%u sessions: %s", c->options.sessions, strerror(-r));
	if (c->options.way == SEND_REGISTERED) {
		r = io_uring_register_buffers(&c->ring, &(struct iovec){ c->text, c->text_len + 3 }, 1);
		if (r < 0)
			bare_fail("registered buffer: %s", strerror(-r));
	}
}

static void watch_queues(struct client *c)
{
	struct napi napi = { .busy_poll_us = c->options.napi_us, .prefer_busy_poll = 1 };

	if (syscall(SYS_io_uring_register, c->ring.ring_fd, REGISTER_NAPI, &napi, 1) != 0)
		bare_fail("--napi: %m");
}

/* Connects one session and moves its socket into the ring's table. */
static void connect_one(struct client *c, unsigned i)
{
	struct sockaddr_in to = c->options.to;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	to.sin_addr.s_addr = htonl(ntohl(to.sin_addr.s_addr) + i % c->options.addresses);
	if (fd < 0)
		bare_fail("socket: %m");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		bare_fail("connect: %m");
	if (c->options.tls != TLS_NONE)
		c->sessions[i].tls = bare_tls_start(fd, c->options.tls == TLS_KERNEL);
	if (io_uring_register_files_update(&c->ring, i, &fd, 1) != 1)
		bare_fail("table of files: %m");
	close(fd);
	c->sessions[i].slot = i;
	c->sessions[i].expect = 1;
	arm_receive(c, i);
	if (c->sessions[i].tls)
		on_replies(c, &c->sessions[i]); /* the greeting came before TLS */
}

static void run(struct client *c)
{
	for (unsigned i = 0; i < c->options.sessions; i++)
		connect_one(c, i);
	while (!c->stop) {
		struct io_uring_cqe *cqe;
		unsigned head, seen = 0;
		int r = io_uring_submit_and_wait(&c->ring, 1);

		if (r < 0 && r != -EINTR && r != -EBUSY && r != -EAGAIN)
			bare_fail("io_uring_enter: %s", strerror(-r));
		io_uring_for_each_cqe(&c->ring, head, cqe) {
			on_completion(c, cqe);
			seen++;
		}
		io_uring_cq_advance(&c->ring, seen);
	}
}

static double cpu_seconds(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
		(double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void report(const struct client *c)
{
	double seconds = c->stop - c->start, cpu;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	cpu = cpu_seconds(&usage) - cpu_seconds(&c->usage);
	printf("{\"mode\": \"%s\", \"messages\": %llu, \"size\": %zu, \"sessions\": %u, "
		"\"seconds\": %.4f, \"messages_per_second\": %.1f, \"cpu_us_per_message\": %.3f, "
		"\"max_rss_kib\": %ld}\n", c->options.mode_name, (unsigned long long)c->done,
		c->text_len, c->options.sessions, seconds,
		seconds > 0 ? (double)c->done / seconds : 0.0,
		c->done ? cpu * 1e6 / (double)c->done : 0.0, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	static struct client c;
	cpu_set_t cpus;

	bare_parse(&c.options, argc, argv);
	if (c.options.cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(c.options.cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
			bare_fail("--cpu %d: %m", c.options.cpu);
	}
	c.sessions = calloc(c.options.sessions, sizeof(*c.sessions));
	if (!c.sessions)
		bare_fail("out of memory");
	make_text(&c);
	make_ring(&c);
	if (c.options.napi_us)
		watch_queues(&c);
	run(&c);
	report(&c);
	return 0;
}
