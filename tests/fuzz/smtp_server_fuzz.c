/*
 * The whole server against any bytes. Four bytes choose port, limits and chance; the rest is what a
 * client says, in lines, among them acts: a line that begins with one of the bytes of `enum act`.
 * The checks of tests/smtp/host.h hold throughout. Each input runs three times: whole; cut at random
 * with answers that come late, which may make no difference to events and replies; and with sends in
 * part at any moment.
 */
#include "base/check.h"
#include "base/random.h"

#define host_fail(...) check_crash(__FILE__, __LINE__, __VA_ARGS__)
#include "../smtp/dialogue.h"

#define LINES_HEAD 4

static const struct slice known_lines[] = {
	SLICE("EHLO c.test\r\n"), SLICE("HELO c\r\n"), SLICE("MAIL FROM:<a@x.test>\r\n"),
	SLICE("MAIL FROM:<> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb\r\n"),
	SLICE("RCPT TO:<b@y.test>\r\n"), SLICE("RCPT TO:<no@y.test>\r\n"),
	SLICE("RCPT TO:<later@y.test> NOTIFY=NEVER ORCPT=rfc822;a+40b\r\n"),
	SLICE("RCPT TO:<@r.test,@s.test:\"a b\"@[IPv6:::1]>\r\n"), SLICE("RCPT TO:<postmaster>\r\n"),
	SLICE("RCPT TO:<gone@y.test>\r\n"), SLICE("DATA\r\n"), SLICE("BDAT 5\r\nabc\r\n"),
	SLICE("BDAT 3 LAST\r\nx\r\n"), SLICE("BDAT 0 LAST\r\n"), SLICE("BDAT 99999\r\n"),
	SLICE(".\r\n"), SLICE("..\r\n"), SLICE("\r\n.\r\n"), SLICE("\n.\n"), SLICE("\r.\r"),
	SLICE("\r\n.\n"), SLICE("\r\n.\r"), SLICE("\n.\r\n"), SLICE("a line of content\r\n"),
	SLICE("RSET\r\n"), SLICE("NOOP\r\n"), SLICE("QUIT\r\n"), SLICE("VRFY b\r\n"),
	SLICE("STARTTLS\r\n"), SLICE("AUTH PLAIN\r\n"), SLICE("AUTH PLAIN AGEAYg==\r\n"),
	SLICE("AUTH LOGIN\r\n"), SLICE("YQ==\r\n"), SLICE("AGEAYmFk\r\n"), SLICE("*\r\n"),
	SLICE("AUTH LOGIN =\r\n"), SLICE("refuse\r\n"), SLICE("\xc3\xa9"), SLICE("\r"), SLICE("\n"),
	SLICE("\x01\n"), SLICE("\x01\n"), SLICE("\x01\n"), SLICE("\x02\n"), SLICE("\x03\n"),
	SLICE("\x04\n"),
};

#include "line_mutator.h"

enum act {
	ACT_LISTEN = 1, /* replies are taken */
	ACT_WAIT,       /* until the next timeout */
	ACT_LEAVE,
	ACT_CLOSE,      /* by the client */
};

enum way { WAY_WHOLE, WAY_CUT, WAY_FREE };

struct run {
	struct host host;
	struct random random;
	enum way way;
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void run_feed(struct run *run, struct slice bytes)
{
	while (bytes.len > 0 && !run->host.over && !run->host.wants_tls) {
		size_t len = run->way == WAY_WHOLE ? bytes.len : random_below(&run->random, 9) + 1;
		struct slice packet = slice_first(bytes, len);

		host_packet(&run->host, packet);
		bytes = slice_from(bytes, packet.len);
		if (run->way != WAY_FREE)
			continue;
		if (run->host.asked && random_below(&run->random, 2))
			host_answer(&run->host);
		host_take_events(&run->host);
		if (random_below(&run->random, 2))
			host_send_once(&run->host, random_below(&run->random, 40));
	}
}

static void run_act(struct run *run, enum act act)
{
	struct host *host = &run->host;
	u64 deadline;

	dialogue_settle(host);
	if (host->over)
		return;
	deadline = smtp_server_deadline(&host->server);
	if (act == ACT_WAIT && deadline != UINT64_MAX)
		host_wait(host, (deadline - min_u64(deadline, host->now_ns)) / NS_PER_MS + 1);
	else if (act == ACT_LEAVE)
		smtp_server_leave(&host->server, host->now_ns);
	else if (act == ACT_CLOSE)
		host_closed(host);
	if (!host->over)
		host_take_events(host);
	dialogue_settle(host);
}

/* Up to the next line that is an act, which is taken off, too. */
static enum act next_act(struct slice *input, struct slice *bytes)
{
	size_t at = 0;

	while (at < input->len) {
		bool starts = at == 0 || input->ptr[at - 1] == '\n';
		u8 byte = (u8)input->ptr[at];

		if (starts && byte >= ACT_LISTEN && byte <= ACT_CLOSE) {
			*bytes = slice_first(*input, at);
			at += at + 1 < input->len && input->ptr[at + 1] == '\n' ? 2 : 1;
			*input = slice_from(*input, at);
			return (enum act)byte;
		}
		at++;
	}
	*bytes = *input;
	*input = SLICE_NONE;
	return ACT_LISTEN;
}

static void run(struct run *run, enum way way, const u8 *head, struct slice input)
{
	struct smtp_server_params params = dialogue_params((enum dialogue_port)(head[0] & 3));
	struct host *host = &run->host;

	run->way = way;
	params.pause_ms = head[0] & 4 ? 100 : 0;
	params.clear_auth = (head[0] & 11) == (PORT_SUBMISSION | 8);
	params.errors_max = (head[2] & 7) + 1u;
	params.messages_max = (head[2] >> 3 & 3) + 1u;
	params.idle_max = head[2] >> 5 ? 100 : 3;
	random_seed(&run->random, head[1]);
	host_init(host, &params);
	host->answers_late = way != WAY_WHOLE;
	host_start(host, (head[0] & 3) == PORT_SUBMISSION_TLS);
	while (input.len > 0 && !host->over) {
		struct slice bytes;
		enum act act = next_act(&input, &bytes);

		run_feed(run, bytes);
		run_act(run, act);
	}
	if (!host->over)
		host_closed(host);
	ASSERT(smtp_server_deadline(&host->server) == UINT64_MAX);
}

static void check_same(struct buf *a, struct buf *b)
{
	ASSERT(!a->failed && !b->failed);
	if (!slice_equal(buf_slice(a), buf_slice(b)))
		check_crash(__FILE__, __LINE__, "\"%s\" or \"%s\"", buf_text(a), buf_text(b));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct run whole;
	static struct run cut;
	struct slice input = { (const char *)data, size };

	if (size < LINES_HEAD)
		return 0;
	input = slice_from(input, LINES_HEAD);
	run(&whole, WAY_WHOLE, data, input);
	run(&cut, WAY_CUT, data, input);
	check_same(&whole.host.log, &cut.host.log);
	check_same(&whole.host.said, &cut.host.said);
	host_done(&cut.host);
	host_done(&whole.host);
	run(&cut, WAY_FREE, data, input);
	host_done(&cut.host);
	return 0;
}
