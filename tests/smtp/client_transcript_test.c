/*
 * Dialogues from text files: tests/smtp/transcripts/NAME.smtp, explained in the README.md there.
 * Each is run whole, byte by byte and in random splits (of input and of output).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/peer.h"

#include <dirent.h>

#define FOLDER "tests/smtp/transcripts"
#define MESSAGES_MAX 16
#define EVENTS_MAX 512
#define RANDOM_RUNS 40

enum run_mode { RUN_WHOLE, RUN_BYTES, RUN_RANDOM };

struct script {
	struct peer peer;
	struct smtp_client_params params;
	struct peer_message messages[MESSAGES_MAX];
	char names[MESSAGES_MAX][32];
	char text[MESSAGES_MAX][512];
	u32 message_count;
	bool started;
	bool whole_only;
	enum run_mode mode;
	u64 seed;
	const char *path;
	u32 line;
	struct buf pending; /* S: bytes not yet sent */
	size_t wire_at;     /* what C: lines have used of the wire */
	char events[EVENTS_MAX][160];
	u32 event_count;
	u32 event_at;
};

#define script_fail(s, ...) script_fail_at(s, __VA_ARGS__)
static void script_fail_at(struct script *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void script_fail_at(struct script *s, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail_msg("%s:%u (mode %d, seed %llu): %s", s->path, s->line, (int)s->mode,
		 (unsigned long long)s->seed, text);
}

static const char *const verdict_names[] = { "none",  "accepted", "temporary", "permanent",
					     "local", "unsent",	  "in-doubt" };
static const char *const failure_names[] = { "none",	 "closed",  "reply",
					     "protocol", "timeout", "tls" };

static void script_on_event(struct peer *peer, const struct smtp_event *event)
{
	struct script *s = peer->user;
	char *to = s->events[s->event_count];
	size_t size = sizeof(s->events[0]);
	const char *name = event->transaction ? peer_message_of(event->transaction)->name : "";
	char code[16] = "";

	if (s->event_count + 1 == EVENTS_MAX)
		script_fail(s, "too many events");
	s->event_count++;
	if (event->reply)
		snprintf(code, sizeof(code), " %u", event->reply->code);
	switch (event->type) {
	case SMTP_EVENT_READY:
		snprintf(to, size, "ready");
		break;
	case SMTP_EVENT_START_TLS:
		snprintf(to, size, "starttls");
		break;
	case SMTP_EVENT_RECIPIENT: {
		struct smtp_recipient *r = &event->transaction->recipients[event->recipient];

		snprintf(to, size, "%s %.*s %s %s%s", name, SLICE_FMT(r->address),
			 verdict_names[r->verdict], smtp_stage_name(event->stage), code);
		break;
	}
	case SMTP_EVENT_DONE:
		snprintf(to, size, "%s done", name);
		break;
	case SMTP_EVENT_CLOSE:
		snprintf(to, size, "close %s %s%s", failure_names[event->failure],
			 smtp_stage_name(event->stage), code);
		break;
	}
}

/* \r \n \t \0 \\ \xHH in place; returns the length. */
static size_t unescape(char *s, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '\\' && i + 1 < len) {
			c = s[++i];
			if (c == 'x' && i + 2 < len) {
				char digits[3] = { s[i + 1], s[i + 2], 0 };

				c = (char)strtoul(digits, NULL, 16);
				i += 2;
			} else {
				c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' :
				    c == '0' ? '\0' : c;
			}
		}
		s[to++] = c;
	}
	return to;
}

static void script_flush(struct script *s)
{
	size_t max = s->mode == RUN_RANDOM ? 24 : 1;

	if (s->pending.len == 0)
		return;
	peer_receive(&s->peer, buf_slice(&s->pending), max);
	buf_reset(&s->pending);
}

/* Everything that the client did must have been expected before the script goes on. */
static void script_settled(struct script *s)
{
	script_flush(s);
	if (s->wire_at != s->peer.wire.len)
		script_fail(s, "the client also said: %.*s", (int)(s->peer.wire.len - s->wire_at),
			    s->peer.wire.ptr + s->wire_at);
	if (s->event_at != s->event_count)
		script_fail(s, "there was also the event: %s", s->events[s->event_at]);
}

/* S: text; `|` starts another packet. */
static void script_server(struct script *s, struct slice text, bool line)
{
	char bytes[8192];
	struct slice part;

	if (s->pending.len == 0)
		script_settled(s);
	while (text.ptr) {
		part = slice_split(&text, '|');
		slice_copy(bytes, sizeof(bytes), part);
		buf_add(&s->pending, bytes, unescape(bytes, part.len));
		if (text.ptr)
			script_flush(s);
	}
	if (line)
		buf_add(&s->pending, "\r\n", 2);
}

static void script_client(struct script *s, struct slice text, bool line)
{
	char bytes[2048];
	size_t len;
	size_t have;

	script_flush(s);
	slice_copy(bytes, sizeof(bytes) - 2, text);
	len = unescape(bytes, text.len);
	if (line) {
		bytes[len++] = '\r';
		bytes[len++] = '\n';
	}
	have = s->peer.wire.len - s->wire_at;
	if (have < len || memcmp(s->peer.wire.ptr + s->wire_at, bytes, len) != 0)
		script_fail(s, "the client should say: %.*s\nbut it said: %.*s", (int)len, bytes,
			    (int)have, s->peer.wire.ptr + s->wire_at);
	s->wire_at += len;
}

static void script_event(struct script *s, struct slice text)
{
	script_flush(s);
	if (s->event_at == s->event_count)
		script_fail(s, "no event, but expected: %.*s", SLICE_FMT(text));
	if (!slice_equal(text, slice_of(s->events[s->event_at])))
		script_fail(s, "event is: %s, expected: %.*s", s->events[s->event_at],
			    SLICE_FMT(text));
	s->event_at++;
}

static struct peer_message *script_message(struct script *s, struct slice name)
{
	for (u32 i = 0; i < s->message_count; i++) {
		if (slice_equal(name, slice_of(s->names[i])))
			return &s->messages[i];
	}
	script_fail(s, "no message is called %.*s", SLICE_FMT(name));
	return NULL;
}

static void message_add_recipients(struct peer_message *message, struct slice list)
{
	while (list.ptr) {
		u32 at = message->transaction.recipient_count++;

		message->recipients[at].address = slice_split(&list, ',');
	}
}

/* message NAME from=.. to=..,.. [text=..] [8bit] [utf8] */
static void script_define(struct script *s, struct slice rest)
{
	u32 at = s->message_count++;
	struct peer_message *message = &s->messages[at];
	char *text = s->text[at];
	size_t len;

	slice_copy(s->names[at], sizeof(s->names[at]), slice_split(&rest, ' '));
	message->name = s->names[at];
	{
		char name[32];

		slice_copy(name, sizeof(name), slice_of(message->name));
		snprintf(text, sizeof(s->text[at]), "Subject: %s\\r\\n\\r\\nText of %s\\r\\n", name,
			 name);
	}
	while (rest.ptr) {
		struct slice word = slice_split(&rest, ' ');
		struct slice value = word;
		struct slice key = slice_split(&value, '=');

		if (slice_equal(key, SLICE("from")))
			message->transaction.sender = value;
		else if (slice_equal(key, SLICE("to")))
			message_add_recipients(message, value);
		else if (slice_equal(key, SLICE("text")))
			slice_copy(text, sizeof(s->text[at]), value);
		else if (slice_equal(key, SLICE("8bit")))
			message->transaction.eightbit = true;
		else if (slice_equal(key, SLICE("utf8")))
			message->transaction.utf8_headers = true;
		else
			script_fail(s, "what is %.*s?", SLICE_FMT(word));
	}
	len = unescape(text, strlen(text));
	peer_message_text(message, (struct slice){ text, len });
}

static u32 capability_of(struct script *s, struct slice name)
{
	static const char *const names[] = { "pipelining", "chunking", "8bitmime", "smtputf8",
					     "starttls", "size", "enhanced", "dsn" };

	for (u32 i = 0; i < array_count(names); i++) {
		if (slice_equal(name, slice_of(names[i])))
			return 1u << i;
	}
	script_fail(s, "no capability is called %.*s", SLICE_FMT(name));
	return 0;
}

static void script_option(struct script *s, struct slice rest)
{
	while (rest.ptr) {
		struct slice value = slice_split(&rest, ' ');
		struct slice key = slice_split(&value, '=');

		if (slice_equal(key, SLICE("whole")))
			s->whole_only = true;
		else if (slice_equal(key, SLICE("tls")))
			s->params.tls = slice_equal(value, SLICE("never")) ? SMTP_TLS_NEVER :
					slice_equal(value, SLICE("required")) ?
					SMTP_TLS_REQUIRED : SMTP_TLS_OPPORTUNISTIC;
		else if (slice_equal(key, SLICE("depth")))
			s->params.depth = (u32)(value.ptr[0] - '0');
		else if (slice_equal(key, SLICE("without")))
			s->params.capability_mask &= ~capability_of(s, value);
		else
			script_fail(s, "no option is called %.*s", SLICE_FMT(key));
	}
}

static void script_start(struct script *s)
{
	if (s->started)
		return;
	s->started = true;
	peer_init(&s->peer, &s->params, s->seed);
	s->peer.split = s->mode != RUN_WHOLE;
	s->peer.on_event = script_on_event;
	s->peer.user = s;
}

static void script_give(struct script *s, struct slice rest)
{
	while (rest.ptr) {
		if (!smtp_client_may_give(&s->peer.client))
			script_fail(s, "the client takes no message now");
		peer_give(&s->peer, script_message(s, slice_split(&rest, ' ')));
	}
	peer_send(&s->peer);
}

/* wait SECONDS: the clock moves on, with a tick on the way if a timeout ends. */
static void script_wait(struct script *s, struct slice rest)
{
	u64 ms = 0;

	assert_true(slice_to_duration_ms(rest, &ms));
	s->peer.now_ns += ms * NS_PER_MS;
	if (smtp_client_deadline(&s->peer.client) <= s->peer.now_ns) {
		smtp_client_tick(&s->peer.client, s->peer.now_ns);
		peer_take_events(&s->peer);
	}
	peer_send(&s->peer);
}

static void script_deadline(struct script *s, struct slice rest)
{
	u64 deadline = smtp_client_deadline(&s->peer.client);
	u64 ms = 0;

	if (slice_equal(rest, SLICE("none"))) {
		if (deadline != UINT64_MAX)
			script_fail(s, "a timeout is running");
		return;
	}
	assert_true(slice_to_duration_ms(rest, &ms));
	if (deadline != s->peer.now_ns + ms * NS_PER_MS)
		script_fail(s, "the timeout is in %lld s",
			    (long long)(deadline - s->peer.now_ns) / 1000000000);
}

static void script_window(struct script *s, struct slice rest)
{
	if (slice_equal(rest, SLICE("open")))
		s->peer.window = UINT64_MAX;
	else
		assert_true(slice_to_u64(rest, &s->peer.window));
	peer_send(&s->peer);
}

static void script_tls(struct script *s, bool good)
{
	if (good)
		smtp_client_tls_started(&s->peer.client, s->peer.now_ns);
	else
		smtp_client_tls_failed(&s->peer.client, s->peer.now_ns);
	peer_take_events(&s->peer);
	peer_send(&s->peer);
}

/* Questions that change nothing; false: no such question. */
static bool script_ask(struct script *s, struct slice word, struct slice rest)
{
	script_flush(s);
	if (slice_equal(word, SLICE("deadline")))
		script_deadline(s, rest);
	else if (slice_equal(word, SLICE("ended")))
		assert_true(script_message(s, rest)->transaction.ended);
	else if (slice_equal(word, SLICE("not-ended")))
		assert_false(script_message(s, rest)->transaction.ended);
	else if (!slice_equal(word, SLICE("may-give")))
		return false;
	else if (smtp_client_may_give(&s->peer.client) != slice_equal(rest, SLICE("yes")))
		script_fail(s, "may_give is not %.*s", SLICE_FMT(rest));
	return true;
}

/* open CAPABILITY,...: greeting and EHLO as usual, then ready. */
static void script_open(struct script *s, struct slice list)
{
	script_server(s, SLICE("220 mx.y.test ESMTP"), true);
	script_client(s, SLICE("EHLO mail.example"), true);
	while (list.ptr) {
		struct slice keyword = slice_split(&list, ',');

		buf_add_text(&s->pending, "250-");
		buf_add_slice(&s->pending, keyword);
		buf_add_text(&s->pending, "\r\n");
		/* The first line is the host's name, whatever it looks like. */
		if (s->pending.len == keyword.len + 6) {
			buf_add_text(&s->pending, "250-");
			buf_add_slice(&s->pending, keyword);
			buf_add_text(&s->pending, "\r\n");
		}
	}
	script_server(s, SLICE("250 HELP"), true);
	script_event(s, SLICE("ready"));
}

static void script_command(struct script *s, struct slice word, struct slice rest)
{
	script_settled(s);
	if (slice_equal(word, SLICE("give"))) {
		script_give(s, rest);
	} else if (slice_equal(word, SLICE("open"))) {
		script_open(s, rest);
	} else if (slice_equal(word, SLICE("quit"))) {
		smtp_client_quit(&s->peer.client, s->peer.now_ns);
		peer_take_events(&s->peer);
		peer_send(&s->peer);
	} else if (slice_equal(word, SLICE("closed"))) {
		peer_closed(&s->peer);
	} else if (slice_equal(word, SLICE("tls"))) {
		script_tls(s, true);
	} else if (slice_equal(word, SLICE("tls-failed"))) {
		script_tls(s, false);
	} else if (slice_equal(word, SLICE("wait"))) {
		script_wait(s, rest);
	} else if (slice_equal(word, SLICE("window"))) {
		script_window(s, rest);
	} else {
		script_fail(s, "no command is called %.*s", SLICE_FMT(word));
	}
}

static void script_line(struct script *s, struct slice line)
{
	struct slice rest = line;
	struct slice word;

	if (line.len == 0 || line.ptr[0] == '#')
		return;
	word = slice_split(&rest, ' ');
	if (slice_equal(word, SLICE("option"))) {
		script_option(s, rest);
		return;
	}
	if (slice_equal(word, SLICE("message"))) {
		script_define(s, rest);
		return;
	}
	script_start(s);
	if (!rest.ptr)
		rest = SLICE("");
	if (slice_equal(word, SLICE("S:")) || slice_equal(word, SLICE("s:")))
		script_server(s, rest, word.ptr[0] == 'S');
	else if (slice_equal(word, SLICE("C:")) || slice_equal(word, SLICE("c:")))
		script_client(s, rest, word.ptr[0] == 'C');
	else if (slice_equal(word, SLICE("E:")))
		script_event(s, rest);
	else if (!script_ask(s, word, rest))
		script_command(s, word, rest.len > 0 ? rest : SLICE_NONE);
}

static bool script_run(const char *path, struct slice text, enum run_mode mode, u64 seed)
{
	struct script *s = calloc(1, sizeof(*s));
	bool whole_only;

	assert_non_null(s);
	s->path = path;
	s->mode = mode;
	s->seed = seed;
	s->params = (struct smtp_client_params){ .ehlo_name = SLICE("mail.example"),
						 .tls = SMTP_TLS_NEVER,
						 .depth = 4,
						 .capability_mask = ~0u };
	buf_init(&s->pending, 1u << 20);
	while (text.ptr) {
		s->line++;
		script_line(s, slice_split(&text, '\n'));
	}
	script_settled(s);
	/* The dialogue may stop anywhere: then everybody still has a verdict. */
	if (!s->peer.over)
		peer_closed(&s->peer);
	for (u32 i = 0; i < s->message_count; i++)
		assert_int_equal(s->messages[i].given, s->messages[i].done);
	peer_done(&s->peer);
	buf_done(&s->pending);
	whole_only = s->whole_only;
	free(s);
	return !whole_only;
}

static void transcript_holds_however_it_is_cut(void **state)
{
	const char *path = *state;
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_true(len > 0 && len < sizeof(text));
	if (!script_run(path, (struct slice){ text, len }, RUN_WHOLE, 0))
		return;
	script_run(path, (struct slice){ text, len }, RUN_BYTES, 1);
	for (u64 seed = 0; seed < RANDOM_RUNS; seed++)
		script_run(path, (struct slice){ text, len }, RUN_RANDOM, seed);
}

static int is_transcript(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".smtp") == 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[256];
	static char paths[256][512];
	struct dirent **entries = NULL;
	int count = argc > 1 ? 1 : scandir(FOLDER, &entries, is_transcript, alphasort);

	if (count < 1 || count > 256) {
		fprintf(stderr, "no transcripts in %s: run from the top of the tree\n", FOLDER);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		if (argc > 1)
			snprintf(paths[i], sizeof(paths[i]), "%s", argv[1]);
		else
			snprintf(paths[i], sizeof(paths[i]), FOLDER "/%s", entries[i]->d_name);
		tests[i] = (struct CMUnitTest){ .name = paths[i],
						.test_func = transcript_holds_however_it_is_cut,
						.initial_state = paths[i] };
		if (entries)
			free(entries[i]);
	}
	free(entries);
	return _cmocka_run_group_tests("transcripts", tests, (size_t)count, NULL, NULL);
}
