/*
 * The client against a model of a server that answers at random. The server reads the client's
 * bytes as a strict host would and keeps its own account of whose mail it took. Three tempers:
 *   lawful    refuses what it likes, but keeps to the protocol
 *   failing   lawful, and hangs up by 421, closes or falls silent at any moment
 *   hostile   failing, and says nonsense
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/peer.h"

#define MESSAGES 12
#define RECIPIENTS 5
#define STEPS_MAX 20000
#define RUNS 6000

#define TEST(name) cmocka_unit_test_teardown(name, say_seed)

enum temper { LAWFUL, FAILING, HOSTILE };
enum server_state { SERVER_COMMAND, SERVER_DATA, SERVER_BDAT, SERVER_TLS, SERVER_GONE };

struct server {
	enum temper temper;
	struct random *random;
	struct buf out;    /* replies that are not delivered */
	size_t read_at;    /* how far the client's bytes were read */
	u32 offered;
	bool keeps_failed; /* a failed BDAT leaves the transaction open */
	bool no_rset;      /* does not know that command */
	bool sour;         /* refuses often */
	enum server_state state;
	bool greeted;
	bool mail_open;
	u32 sender;                   /* message whose sender the open transaction has */
	u32 accepted_count;           /* recipients of the open transaction */
	u32 accepted[64][2];          /* message and index */
	u64 bdat_left;
	bool bdat_void;
	struct buf content;
	bool took[MESSAGES][RECIPIENTS]; /* said 2yz to RCPT and to the whole message */
	bool whole[MESSAGES];            /* got the whole message, whatever it said to it */
};

struct run {
	struct peer peer;
	struct server server;
	struct peer_message messages[MESSAGES];
	char text[MESSAGES][256];
	char address[MESSAGES][RECIPIENTS + 1][32];
	u32 given;
	bool wants_tls;
	bool closed;
};

static bool chance(struct server *server, u32 percent)
{
	return random_below(server->random, 100) < percent;
}

static void server_say(struct server *server, u32 code, const char *text)
{
	static const char *const ends[] = { "\r\n", "\r\n", "\r\n", "\n" };

	for (u64 more = chance(server, 15) ? random_below(server->random, 4) : 0; more > 0; more--)
		buf_add_format(&server->out, "%u-%u.0.0 more%s", code, code / 100,
			       ends[random_below(server->random, 4)]);
	if (chance(server, 10))
		buf_add_format(&server->out, "%u%s", code, ends[random_below(server->random, 4)]);
	else
		buf_add_format(&server->out, "%u %u.0.0 %s%s", code, code / 100, text,
			       ends[random_below(server->random, 4)]);
}

/* Says `good` or a refusal; true when it was good. */
static bool server_decide(struct server *server, u32 good)
{
	static const u32 refusals[] = { 450, 451, 452, 550, 552, 554, 503 };
	static const u32 oddities[] = { 250, 354, 220, 550, 299, 399, 421 };

	if (server->temper != LAWFUL && chance(server, 1)) {
		server_say(server, 421, "going away");
		server->state = SERVER_GONE;
		return false;
	}
	if (server->temper == HOSTILE && chance(server, 4)) {
		u32 code = oddities[random_below(server->random, array_count(oddities))];

		server_say(server, code, "odd");
		return code / 100 == good / 100;
	}
	if (chance(server, server->sour ? 40 : 4)) {
		server_say(server, refusals[random_below(server->random, array_count(refusals))],
			   "no");
		return false;
	}
	server_say(server, good, "ok");
	return true;
}

static void server_ehlo(struct server *server)
{
	static const char *const keywords[] = { "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8",
						"STARTTLS",   "SIZE 5000" };

	server->mail_open = false;
	if (server->temper != LAWFUL && chance(server, 3)) {
		server_say(server, chance(server, 50) ? 502 : 451, "no");
		return;
	}
	buf_add_text(&server->out, "250-mx.test\r\n");
	for (u32 i = 0; i < array_count(keywords); i++) {
		if (server->offered & (1u << i))
			buf_add_format(&server->out, "250-%s\r\n", keywords[i]);
	}
	buf_add_text(&server->out, "250 HELP\r\n");
}

static void server_mail(struct server *server, struct slice rest)
{
	if (slice_find(rest, SLICE(" SIZE=")) >= 0)
		assert_true(server->offered & SMTP_CAP_SIZE);
	if (slice_find(rest, SLICE(" BODY=8BITMIME")) >= 0)
		assert_true(server->offered & SMTP_CAP_8BITMIME);
	/* RFC 5321 section 4.1.4; what a hostile host said moved the client on. */
	if (server->temper != HOSTILE) {
		assert_true(server->no_rset || !server->mail_open);
		assert_int_equal(sscanf(rest.ptr, "<m%u@x.test>", &server->sender), 1);
	}
	if (server->mail_open) {
		server_say(server, 503, "nested MAIL");
		return;
	}
	server->mail_open = server_decide(server, 250);
	server->accepted_count = 0;
}

/* RCPT TO:<rM.R@y.test> */
static void server_rcpt(struct server *server, struct slice rest)
{
	u32 message = 0;
	u32 recipient = 0;

	assert_int_equal(sscanf(rest.ptr, "<r%u.%u@y.test>", &message, &recipient), 2);
	assert_true(message < MESSAGES && recipient < RECIPIENTS);
	if (!server->mail_open) {
		server_say(server, 503, "MAIL first");
		return;
	}
	if (server_decide(server, 250) && server->accepted_count < 64) {
		server->accepted[server->accepted_count][0] = message;
		server->accepted[server->accepted_count++][1] = recipient;
	}
}

static void server_data(struct server *server)
{
	bool empty = !server->mail_open || server->accepted_count == 0;

	/* With nobody to take it, some hosts refuse DATA and some go on (RFC 2920 section 3.1). */
	if (empty && (chance(server, 50) || !server->mail_open)) {
		server_say(server, server->mail_open ? 554 : 503, "nobody");
		return;
	}
	if (server_decide(server, 354))
		server->state = SERVER_DATA;
}

static void server_bdat(struct server *server, struct slice rest)
{
	i64 space = slice_find_char(rest, ' ');

	assert_true(server->offered & SMTP_CAP_CHUNKING);
	assert_true(space > 0);
	assert_true(slice_equal(slice_from(rest, (size_t)space), SLICE(" LAST")));
	assert_true(slice_to_u64(slice_first(rest, (size_t)space), &server->bdat_left));
	server->bdat_void = !server->mail_open || server->accepted_count == 0;
	server->state = SERVER_BDAT;
}

/* The whole message is there: which one is it, are its bytes right, and is it taken? */
static void server_take_content(struct run *run, bool empty)
{
	struct server *server = &run->server;
	u32 message = 0;

	if (!empty) {
		assert_int_equal(sscanf(buf_text(&server->content), "Subject: %u\r", &message), 1);
		assert_true(message < MESSAGES);
		assert_true(slice_equal(buf_slice(&server->content), slice_of(run->text[message])));
		server->whole[message] = true;
	}
	if (server->bdat_void) {
		server_say(server, 503, "nobody");
		server->mail_open = server->mail_open && server->keeps_failed;
	} else if (server->accepted_count == 0) {
		server_decide(server, 250);
		server->mail_open = false;
	} else {
		bool good;

		if (server->temper != HOSTILE)
			assert_false(empty); /* somebody waits for it */
		good = server_decide(server, 250);
		for (u32 i = 0; good && i < server->accepted_count; i++) {
			/* Nobody is to get somebody else's message, or from somebody else's sender. */
			if (server->temper != HOSTILE) {
				assert_int_equal(server->accepted[i][0], message);
				assert_true(server->no_rset || server->sender == message);
			}
			server->took[message][server->accepted[i][1]] = true;
		}
		server->mail_open = false;
	}
	server->bdat_void = false;
	buf_reset(&server->content);
	if (server->state != SERVER_GONE)
		server->state = SERVER_COMMAND;
}

/* Lines behind DATA up to the dot, as they come; true when something was read. */
static bool server_read_data(struct run *run, struct slice input)
{
	struct server *server = &run->server;
	i64 end = slice_find(input, SLICE("\r\n"));
	struct slice line;

	if (end < 0)
		return false;
	line = slice_first(input, (size_t)end + 2);
	server->read_at += line.len;
	if (slice_equal(line, SLICE(".\r\n"))) {
		server_take_content(run, server->content.len == 0);
		return true;
	}
	if (line.ptr[0] == '.') {
		assert_int_equal(line.ptr[1], '.');
		line = slice_from(line, 1);
	}
	if (server->temper != HOSTILE)
		assert_true(server->accepted_count > 0); /* no content for nobody */
	buf_add_slice(&server->content, line);
	return true;
}

static bool server_read_bdat(struct run *run, struct slice input)
{
	struct server *server = &run->server;
	struct slice bytes = slice_first(input, (size_t)server->bdat_left);

	if (bytes.len == 0)
		return false;
	buf_add_slice(&server->content, bytes);
	server->read_at += bytes.len;
	server->bdat_left -= bytes.len;
	if (server->bdat_left == 0)
		server_take_content(run, false);
	return true;
}

/* What may stand behind this command, or before it, unanswered? (RFC 2920 section 3.1) */
static void server_check_group(struct run *run, struct slice line, size_t behind)
{
	struct server *server = &run->server;
	static const char *const lasts[] = { "EHLO", "HELO", "DATA", "QUIT", "STARTTLS" };
	bool last = false;
	bool bdat = slice_has_prefix(line, SLICE("BDAT"));

	for (u32 i = 0; i < array_count(lasts); i++)
		last = last || slice_has_prefix(line, slice_of(lasts[i]));
	if (server->temper == HOSTILE)
		return; /* replies out of turn have moved the client on */
	if (last)
		assert_int_equal(behind, 0);
	if (!(server->offered & SMTP_CAP_PIPELINING)) {
		assert_int_equal(server->out.len, 0);
		assert_true(bdat || behind == 0);
	}
}

static void server_command(struct run *run, struct slice line)
{
	struct server *server = &run->server;

	for (size_t i = 0; i < line.len; i++)
		assert_true((unsigned char)line.ptr[i] >= 0x20);
	if (slice_equal(line, SLICE("EHLO client.test"))) {
		server_ehlo(server);
	} else if (slice_equal(line, SLICE("HELO client.test"))) {
		server->offered = 0;
		server_say(server, 250, "mx.test");
	} else if (slice_equal(line, SLICE("STARTTLS"))) {
		if (server_decide(server, 220))
			server->state = SERVER_TLS;
	} else if (slice_has_prefix(line, SLICE("MAIL FROM:"))) {
		server_mail(server, slice_from(line, 10));
	} else if (slice_has_prefix(line, SLICE("RCPT TO:"))) {
		server_rcpt(server, slice_from(line, 8));
	} else if (slice_equal(line, SLICE("DATA"))) {
		server_data(server);
	} else if (slice_has_prefix(line, SLICE("BDAT "))) {
		server_bdat(server, slice_from(line, 5));
	} else if (slice_equal(line, SLICE("RSET")) && server->no_rset) {
		server_say(server, 502, "what is that");
	} else if (slice_equal(line, SLICE("RSET"))) {
		server->mail_open = false;
		server->accepted_count = 0;
		server_say(server, 250, "reset");
	} else if (slice_equal(line, SLICE("QUIT"))) {
		server_say(server, 221, "bye");
		server->state = SERVER_GONE;
	} else {
		fail_msg("no command: %.*s", SLICE_FMT(line));
	}
}

/* Reads one command or some content; false: nothing (whole) is there. */
static bool server_read(struct run *run)
{
	struct server *server = &run->server;
	struct slice input = slice_from(buf_slice(&run->peer.wire), server->read_at);
	char line[256]; /* as text that ends, for sscanf */
	size_t len;
	i64 end;

	if (server->state == SERVER_DATA)
		return server_read_data(run, input);
	if (server->state == SERVER_BDAT)
		return server_read_bdat(run, input);
	end = slice_find(input, SLICE("\r\n"));
	if (server->state != SERVER_COMMAND || end < 0)
		return false;
	len = (size_t)end;
	assert_true(slice_copy(line, sizeof(line), slice_first(input, len)));
	server->read_at += len + 2;
	server_check_group(run, slice_of(line), input.len - len - 2);
	server_command(run, (struct slice){ line, len });
	return true;
}

static void server_deliver(struct run *run)
{
	struct server *server = &run->server;
	size_t len = (size_t)random_below(server->random, server->out.len) + 1;

	if (chance(server, 50))
		len = server->out.len;
	peer_packet(&run->peer, slice_first(buf_slice(&server->out), len));
	buf_drop_front(&server->out, len);
}

static void run_on_event(struct peer *peer, const struct smtp_event *event)
{
	struct run *run = peer->user;

	if (event->type == SMTP_EVENT_START_TLS)
		run->wants_tls = true;
	if (getenv("SEED") && event->type == SMTP_EVENT_CLOSE)
		print_message("close %d %s\n%.*s\n", (int)event->failure,
			      smtp_stage_name(event->stage), (int)peer->wire.len,
			      peer->wire.ptr);
	if (event->type == SMTP_EVENT_CLOSE && run->server.temper == LAWFUL)
		assert_int_equal(event->failure, SMTP_FAILURE_NONE);
}

static void run_message(struct run *run, u32 at)
{
	struct peer_message *message = &run->messages[at];
	u32 recipients = (u32)random_below(&run->peer.random, RECIPIENTS) + 1;
	int len = snprintf(run->text[at], sizeof(run->text[at]), "Subject: %u\r\n\r\n", at);

	for (u64 lines = random_below(&run->peer.random, 8); lines > 0; lines--)
		len += snprintf(run->text[at] + len, sizeof(run->text[at]) - (size_t)len, "%s\r\n",
				(const char *[]){ ".", "..", "x", "", ".x", "RCPT TO:<a>" }
					[random_below(&run->peer.random, 6)]);
	peer_message_text(message, slice_of(run->text[at]));
	snprintf(run->address[at][RECIPIENTS], 32, "m%u@x.test", at);
	message->transaction.sender = slice_of(run->address[at][RECIPIENTS]);
	message->transaction.eightbit = random_below(&run->peer.random, 10) == 0;
	message->transaction.recipient_count = recipients;
	for (u32 i = 0; i < recipients; i++) {
		snprintf(run->address[at][i], 32, "r%u.%u@y.test", at, i);
		message->recipients[i].address = slice_of(run->address[at][i]);
	}
	peer_give(&run->peer, message);
	peer_send(&run->peer);
}

/* A moment in which something goes wrong, as the temper has it. */
static void run_mishap(struct run *run)
{
	struct server *server = &run->server;
	u64 which = random_below(server->random, 5);

	if (server->temper == LAWFUL || random_below(server->random, 40) != 0)
		return;
	if (which == 0) {
		run->closed = true;
		peer_closed(&run->peer);
	} else if (which == 1 && smtp_client_deadline(&run->peer.client) != UINT64_MAX) {
		run->peer.now_ns = smtp_client_deadline(&run->peer.client);
		smtp_client_tick(&run->peer.client, run->peer.now_ns);
		peer_take_events(&run->peer);
		assert_true(run->peer.over);
	} else if (which == 2) {
		server_say(server, 421, "suddenly");
		server->state = SERVER_GONE;
	} else if (which == 3 && server->temper == HOSTILE) {
		server_say(server, chance(server, 50) ? 250 : 550, "out of turn");
	} else if (server->temper == HOSTILE) {
		buf_add_text(&server->out, "\r\nnonsense");
	}
}

static void run_step(struct run *run)
{
	struct peer *peer = &run->peer;

	run_mishap(run);
	if (peer->over)
		return;
	if (run->wants_tls) {
		run->wants_tls = false;
		if (run->server.state == SERVER_TLS)
			run->server.state = SERVER_COMMAND;
		smtp_client_tls_started(&peer->client, peer->now_ns);
		peer_send(peer);
		return;
	}
	switch (random_below(&peer->random, 6)) {
	case 0:
		peer->window = random_below(&peer->random, 2) ? UINT64_MAX :
								random_below(&peer->random, 90);
		peer_send(peer);
		break;
	case 1:
		if (run->given < MESSAGES && smtp_client_may_give(&peer->client))
			run_message(run, run->given++);
		break;
	case 2:
		if (run->given == MESSAGES && run->server.state == SERVER_COMMAND) {
			smtp_client_quit(&peer->client, peer->now_ns);
			peer_take_events(peer);
			peer_send(peer);
		}
		break;
	case 3:
		if (run->server.out.len > 0)
			server_deliver(run);
		break;
	default:
		server_read(run);
	}
}

static void run_check(struct run *run)
{
	for (u32 m = 0; m < run->given; m++) {
		struct peer_message *message = &run->messages[m];

		assert_true(message->done);
		for (u32 i = 0; i < message->transaction.recipient_count; i++) {
			enum smtp_verdict verdict = message->recipients[i].verdict;
			bool took = run->server.took[m][i];

			if (run->server.temper == HOSTILE)
				continue;
			if (verdict == SMTP_VERDICT_ACCEPTED)
				assert_true(took);
			if (took && run->server.temper == LAWFUL)
				assert_int_equal(verdict, SMTP_VERDICT_ACCEPTED);
			if (took && verdict != SMTP_VERDICT_ACCEPTED)
				assert_int_equal(verdict, SMTP_VERDICT_IN_DOUBT);
			if (verdict == SMTP_VERDICT_UNSENT)
				assert_false(run->server.whole[m]);
		}
	}
}

static void run_once(u64 seed, enum temper temper)
{
	struct run *run = calloc(1, sizeof(*run));
	struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
					     .capability_mask = ~0u };
	struct server *server = &run->server;
	u32 steps = 0;

	params.tls = (enum smtp_tls_policy)(seed % 2);
	params.depth = (u32)(seed / 2 % SMTP_DEPTH_MAX) + 1;
	peer_init(&run->peer, &params, seed * 3 + temper);
	run->peer.split = true;
	run->peer.on_event = run_on_event;
	run->peer.user = run;
	server->random = &run->peer.random;
	server->temper = temper;
	server->offered = (u32)random_u64(server->random) & 0x3f;
	server->keeps_failed = chance(server, 50);
	server->sour = chance(server, 50);
	server->no_rset = temper != LAWFUL && chance(server, 10);
	buf_init(&server->out, 1u << 20);
	buf_init(&server->content, 1u << 20);
	server_say(server, 220, "mx.test");
	while (!run->peer.over && steps < STEPS_MAX) {
		run_step(run);
		steps++;
		if (server->state == SERVER_GONE && server->out.len == 0 && !run->peer.over) {
			run->closed = true;
			peer_closed(&run->peer);
		}
	}
	/* A lawful server leads to the end: all messages given, QUIT. */
	if (temper == LAWFUL) {
		assert_true(run->peer.over && !run->closed);
		assert_int_equal(run->given, MESSAGES);
	}
	if (!run->peer.over)
		peer_closed(&run->peer);
	run_check(run);
	buf_done(&server->out);
	buf_done(&server->content);
	peer_done(&run->peer);
	free(run);
}

/* Where a failed test stopped. */
static u64 last_seed;

static int say_seed(void **state)
{
	(void)state;
	print_message("last seed: %llu (SEED=n repeats one)\n", (unsigned long long)last_seed);
	return 0;
}

static void runs(enum temper temper)
{
	const char *one = getenv("SEED");
	u64 first = one ? strtoull(one, NULL, 10) : 0;
	u64 end = one ? first + 1 : RUNS;

	for (u64 seed = first; seed < end; seed++) {
		last_seed = seed;
		run_once(seed, temper);
	}
}

static void a_lawful_server_and_the_client_agree_on_every_recipient(void **state)
{
	(void)state;
	runs(LAWFUL);
}

static void what_a_failing_server_took_is_accepted_or_in_doubt(void **state)
{
	(void)state;
	runs(FAILING);
}

static void a_hostile_server_cannot_break_the_rules_of_verdicts(void **state)
{
	(void)state;
	runs(HOSTILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lawful_server_and_the_client_agree_on_every_recipient),
		TEST(what_a_failing_server_took_is_accepted_or_in_doubt),
		TEST(a_hostile_server_cannot_break_the_rules_of_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
