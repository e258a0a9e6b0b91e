/*
 * Our client and our server, each against the other, in memory: sessions from a seed (`SEED=n`
 * repeats one) with cuts, short sends, late answers, refusals of all kinds and connections that
 * break. What the client says became of each recipient has to be what the server did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "smtp/host.h"
#include "smtp/peer.h"

#define MESSAGES 6
#define RECIPIENTS 5
#define STEPS_MAX 100000
#define RUNS 20000

struct session {
	struct peer peer;
	struct host host;
	struct random *random;
	struct peer_message messages[MESSAGES];
	char text[MESSAGES][512];
	char address[MESSAGES][RECIPIENTS + 1][40];
	u32 given;
	bool client_tls;
	size_t to_server; /* how much of the client's bytes the server was given */
	size_t to_client;
	/* The server's account. */
	u32 sender;
	bool open_to[RECIPIENTS];
	u32 taken[MESSAGES][RECIPIENTS];
	u32 ended[MESSAGES]; /* code that the whole message was answered with */
};

static u64 current_seed;
static u32 verdicts[SMTP_VERDICT_IN_DOUBT + 1]; /* how many of each there were in all runs */
static u32 ends[SMTP_SERVER_WHY_CALLER + 1];

static bool chance(struct session *session, u32 percent)
{
	return random_below(session->random, 100) < percent;
}

static u32 number_of(struct slice local)
{
	u32 number = 0;

	for (size_t i = 0; i < local.len; i++) {
		if (ascii_is_digit(local.ptr[i]))
			number = number * 10 + (u32)(local.ptr[i] - '0');
	}
	return number;
}

static void on_asks(struct host *host, const struct smtp_server_event *event)
{
	struct session *session = host->user;

	if (event->type == SMTP_SERVER_MAIL) {
		session->sender = number_of(event->mail.from.local);
		memset(session->open_to, 0, sizeof(session->open_to));
		assert_int_equal(event->mail.size,
				 session->messages[session->sender].transaction.size);
	} else if (event->type == SMTP_SERVER_RCPT && host->code == 250) {
		session->open_to[number_of(event->rcpt.to.local)] = true;
	} else if (event->type == SMTP_SERVER_END) {
		session->ended[session->sender] = host->code;
	}
}

static void on_taken(struct host *host)
{
	struct session *session = host->user;
	struct slice content = buf_slice(&host->content);

	assert_true(slice_equal(content, slice_of(session->text[session->sender])));
	for (u32 i = 0; i < RECIPIENTS; i++)
		session->taken[session->sender][i] += session->open_to[i];
}

/* Lines with dots at all places; its first word may make the caller refuse it. */
static void make_text(struct session *session, u32 at)
{
	static const char *const lines[] = { ".",  "..", "",   ".x", "x", "x.", "...x",
					     "QUIT", "MAIL FROM:<a@b>", "a longer line of text" };
	static const char *const firsts[] = { "refuse", "defer", "Subject: x", "Subject: y", "." };
	struct buf text;

	buf_init(&text, sizeof(session->text[0]));
	buf_add_format(&text, "%s\r\n", firsts[random_below(session->random, array_count(firsts))]);
	for (u64 i = random_below(session->random, 12); i > 0; i--)
		buf_add_format(&text, "%s\r\n",
			       lines[random_below(session->random, array_count(lines))]);
	assert_false(text.failed);
	memcpy(session->text[at], buf_text(&text), text.len + 1);
	buf_done(&text);
}

static void make_message(struct session *session, u32 at)
{
	static const char *const locals[] = { "ok", "ok", "ok", "no", "later", "\"o k\"" };
	struct peer_message *message = &session->messages[at];
	struct smtp_transaction *transaction = &message->transaction;

	make_text(session, at);
	message->name = "m";
	snprintf(session->address[at][RECIPIENTS], 40, "%s%u@x.test",
		 chance(session, 10) ? "no" : chance(session, 10) ? "later" : "m", at);
	transaction->sender = slice_of(session->address[at][RECIPIENTS]);
	transaction->eightbit = chance(session, 20);
	transaction->recipient_count = (u32)random_below(session->random, RECIPIENTS) + 1;
	for (u32 i = 0; i < transaction->recipient_count; i++) {
		const char *local = locals[random_below(session->random, array_count(locals))];
		const char *where = local[0] == '"' ? "[192.0.2." : "y.test";

		if (local[0] == '"')
			snprintf(session->address[at][i], 40, "\"o %u\"@%s1]", i, where);
		else
			snprintf(session->address[at][i], 40, "%s%u@%s", local, i, where);
		message->recipients[i].address = slice_of(session->address[at][i]);
	}
	peer_message_text(message, slice_of(session->text[at]));
}

static void on_client_event(struct peer *peer, const struct smtp_event *event)
{
	struct session *session = peer->user;

	if (event->type == SMTP_EVENT_START_TLS)
		session->client_tls = true;
}

static void session_begin(struct session *session)
{
	struct random *random = session->random;
	struct smtp_server_params server = smtp_server_usual;
	struct smtp_client_params client = {
		.ehlo_name = SLICE("client.test"),
		.tls = chance(session, 50) ? SMTP_TLS_OPPORTUNISTIC : SMTP_TLS_NEVER,
		.depth = (u32)random_below(random, SMTP_DEPTH_MAX) + 1,
		.capability_mask = ~0u,
	};

	if (chance(session, 30))
		client.capability_mask &= ~(u32)SMTP_CAP_PIPELINING;
	if (chance(session, 50))
		client.capability_mask &= ~(u32)SMTP_CAP_CHUNKING;
	server.host_name = SLICE("mx.test");
	server.tls_offered = chance(session, 50);
	server.recipients_max = chance(session, 30) ? 2 : 100;
	server.size_max = chance(session, 30) ? 60 : 100000;
	server.errors_max = chance(session, 20) ? 4 : 100;
	server.messages_max = chance(session, 20) ? 2 : 100;
	peer_init(&session->peer, &client, random_u64(random));
	session->peer.split = true;
	session->peer.on_event = on_client_event;
	session->peer.user = session;
	/* Sends are made where a test wants them. */
	session->random = &session->peer.random;
	host_init(&session->host, &server);
	session->host.answers_late = chance(session, 50);
	session->host.asks = on_asks;
	session->host.taken = on_taken;
	session->host.user = session;
	for (u32 i = 0; i < MESSAGES; i++)
		make_message(session, i);
	host_start(&session->host, false);
}

static void client_gives(struct session *session)
{
	while (!session->peer.over && session->given < MESSAGES &&
	       smtp_client_may_give(&session->peer.client)) {
		peer_give(&session->peer, &session->messages[session->given++]);
		if (chance(session, 30))
			break;
	}
	if (session->given == MESSAGES)
		smtp_client_quit(&session->peer.client, session->peer.now_ns);
	peer_take_events(&session->peer);
}

/* Some bytes from the client to the server. */
static bool move_to_server(struct session *session)
{
	struct buf *wire = &session->peer.wire;
	size_t left = wire->len - session->to_server;
	size_t len = chance(session, 40) ? left : random_below(session->random, 40);
	struct slice bytes = slice_first(slice_from(buf_slice(wire), session->to_server), len);

	if (bytes.len == 0 || session->host.over)
		return left > 0 && !session->host.over;
	session->to_server += bytes.len;
	host_packet(&session->host, bytes);
	return true;
}

static bool move_to_client(struct session *session)
{
	struct buf *said = &session->host.said;
	size_t left = said->len - session->to_client;
	size_t len = chance(session, 40) ? left : random_below(session->random, 40);
	struct slice bytes = slice_first(slice_from(buf_slice(said), session->to_client), len);

	if (bytes.len == 0 || session->peer.over)
		return left > 0 && !session->peer.over;
	session->to_client += bytes.len;
	peer_packet(&session->peer, bytes);
	return true;
}

static bool server_moves(struct session *session)
{
	struct host *host = &session->host;
	size_t held = host->held.len;
	bool moves = false;

	if (host->over)
		return false;
	if (host->asked && chance(session, 60)) {
		host_answer(host);
		host_take_events(host);
		moves = true;
	}
	if (!host->asked && !host->over && !host->wants_tls && held > 0)
		host_packet(host, SLICE_NONE);
	moves = moves || host->asked || host->held.len != held;
	if (!host->over && chance(session, 70))
		moves = host_send_once(host, chance(session, 50) ? SIZE_MAX : 7) || moves;
	return moves || smtp_server_output(&host->server).len > 0;
}

/* Both sides shake hands at once. */
static bool tls_moves(struct session *session)
{
	if (!session->client_tls || !session->host.wants_tls)
		return false;
	session->client_tls = false;
	host_tls(&session->host);
	smtp_client_tls_started(&session->peer.client, session->peer.now_ns);
	peer_take_events(&session->peer);
	return true;
}

static void session_run(struct session *session, bool breaks)
{
	u32 still = 0;
	u32 steps = 0;

	while (!session->peer.over && still < 50) {
		bool moved = server_moves(session);

		host_check(++steps < STEPS_MAX, "the session does not end");
		client_gives(session);
		peer_send(&session->peer);
		moved = move_to_server(session) || moved;
		moved = move_to_client(session) || moved;
		moved = tls_moves(session) || moved;
		still = moved ? 0 : still + 1;
		if (breaks && random_below(session->random, 200) == 0)
			break;
		/* The server closed and all that it said was heard. */
		if (session->host.over && session->to_client == session->host.said.len)
			break;
	}
	host_check(breaks || still < 50, "both sides wait: %s", buf_text(&session->host.log));
	if (!session->peer.over)
		peer_closed(&session->peer);
	if (session->host.asked)
		host_answer(&session->host);
	if (!session->host.over)
		host_closed(&session->host);
}

/* What an address asks for; 0: what else may happen. */
static u32 code_by_name(struct slice address)
{
	u32 code = host_code(address);

	return code == 250 ? 0 : code;
}

static void check_recipient(const struct session *session, u32 at, u32 to)
{
	const struct smtp_transaction *transaction = &session->messages[at].transaction;
	const struct smtp_recipient *recipient = &transaction->recipients[to];
	u32 taken = session->taken[at][to];
	u32 by_name = code_by_name(recipient->address);

	verdicts[recipient->verdict]++;
	host_check(taken <= 1, "taken twice");
	host_check(by_name == 0 || taken == 0, "taken for one who was refused");
	switch (recipient->verdict) {
	case SMTP_VERDICT_ACCEPTED:
		host_check(taken == 1, "accepted, not taken");
		break;
	case SMTP_VERDICT_PERMANENT:
		host_check(taken == 0, "permanent, but taken");
		host_check(by_name == 550 || host_code(transaction->sender) == 550 ||
				   session->ended[at] == 554 ||
				   transaction->size > session->host.params.size_max,
			   "permanent without a reason");
		break;
	case SMTP_VERDICT_TEMPORARY:
	case SMTP_VERDICT_LOCAL:
	case SMTP_VERDICT_UNSENT:
		host_check(taken == 0, "%u, but taken", recipient->verdict);
		break;
	case SMTP_VERDICT_IN_DOUBT:
	case SMTP_VERDICT_NONE:
		break;
	}
}

static void run_seed(u64 seed)
{
	static struct session session;
	struct random random;

	current_seed = seed;
	memset(&session, 0, sizeof(session));
	random_seed(&random, seed);
	session.random = &random;
	session_begin(&session);
	session_run(&session, seed % 4 == 0);
	for (u32 i = 0; i < MESSAGES; i++) {
		for (u32 j = 0; session.messages[i].given &&
				j < session.messages[i].transaction.recipient_count; j++)
			check_recipient(&session, i, j);
	}
	ends[session.host.why]++;
	/* Lawful on both sides: nobody is sent away for anything else. */
	if (seed % 4 != 0)
		host_check(session.host.why == SMTP_SERVER_WHY_QUIT ||
				   session.host.why == SMTP_SERVER_WHY_CLOSED ||
				   session.host.why == SMTP_SERVER_WHY_ERRORS,
			   "closed: %s", smtp_server_why_name(session.host.why));
	host_done(&session.host);
	peer_done(&session.peer);
}

static void client_and_server_agree_on_every_recipient(void **state)
{
	const char *seed = getenv("SEED");

	(void)state;
	if (seed) {
		run_seed(strtoull(seed, NULL, 10));
		return;
	}
	for (u64 i = 1; i <= RUNS; i++)
		run_seed(i);
	/* The runs have to reach what they are there for. */
	for (u32 i = SMTP_VERDICT_ACCEPTED; i <= SMTP_VERDICT_IN_DOUBT; i++)
		assert_true(verdicts[i] > 100);
	assert_true(verdicts[SMTP_VERDICT_ACCEPTED] > 2 * RUNS);
	assert_true(ends[SMTP_SERVER_WHY_QUIT] > RUNS / 4);
}

static int say_seed(void **state)
{
	(void)state;
	printf("last seed: SEED=%llu\n", (unsigned long long)current_seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(client_and_server_agree_on_every_recipient, say_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
