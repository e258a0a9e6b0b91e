#include "smtp/server.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "smtp/server_own.h"

#include <string.h>

_Static_assert(sizeof(struct smtp_server) <= 2048 + SMTP_SERVER_LINE_MAX,
	       "a connection's memory is counted");

#define S(seconds) ((seconds) * 1000)
const struct smtp_server_params smtp_server_usual = {
	.mode = SMTP_SERVER_MX,
	.size_max = 50ull << 20,
	.recipients_max = 100,
	.messages_max = 1000,
	.errors_max = 20,
	.idle_max = 100,
	.auth_failures_max = 3,
	.command_ms = S(300), /* section 4.5.3.2.7 */
	.message_ms = S(3600),
	.tls_ms = S(120),
	.close_ms = S(10),
};
#undef S

const char *smtp_server_why_name(enum smtp_server_why why)
{
	static const char *const names[] = {
		[SMTP_SERVER_WHY_QUIT] = "quit",       [SMTP_SERVER_WHY_CLOSED] = "closed",
		[SMTP_SERVER_WHY_TIMEOUT] = "timeout", [SMTP_SERVER_WHY_EARLY] = "spoke early",
		[SMTP_SERVER_WHY_BARE] = "bare CR or LF",
		[SMTP_SERVER_WHY_ERRORS] = "too many errors",
		[SMTP_SERVER_WHY_PROTOCOL] = "no SMTP", [SMTP_SERVER_WHY_TLS] = "TLS failed",
		[SMTP_SERVER_WHY_CALLER] = "we closed",
	};

	ASSERT((size_t)why < array_count(names));
	return names[why];
}

void smtp_server_init(struct smtp_server *server, const struct smtp_server_params *params)
{
	ASSERT(params->host_name.len >= 1 && params->host_name.len <= SMTP_DOMAIN_MAX);
	ASSERT(params->size_max >= 1 && params->size_max <= UINT32_MAX * (u64)1024);
	ASSERT(params->recipients_max >= 1 && params->messages_max >= 1);
	ASSERT(params->errors_max >= 1 && params->auth_failures_max >= 1);

	/* Both buffers are guarded by their lengths. */
	memset(server, 0, offsetof(struct smtp_server, line));
	server->params = params;
	server->state = STATE_NEW;
	server->deadline_ns = UINT64_MAX;
}

static u64 server_after(const struct smtp_server *server, u32 ms)
{
	return server->now_ns + ms * NS_PER_MS;
}

static void server_arm(struct smtp_server *server)
{
	const struct smtp_server_params *params = server->params;

	server->deadline_ns = UINT64_MAX;
	switch ((enum server_state)server->state) {
	case STATE_PAUSE:
		server->deadline_ns = server_after(server, params->pause_ms);
		break;
	case STATE_COMMAND:
	case STATE_DATA:
	case STATE_CHUNK:
		server->deadline_ns = server_after(server, params->command_ms);
		if (server->mail_open)
			server->deadline_ns = min_u64(server->deadline_ns, server->message_ends_ns);
		break;
	case STATE_TLS:
		server->deadline_ns = server_after(server, params->tls_ms);
		break;
	case STATE_TLS_DUE:
	case STATE_CLOSING:
		server->deadline_ns = server_after(server, params->close_ms);
		break;
	case STATE_NEW:
	case STATE_ASKING:
	case STATE_OVER:
	case STATE_GONE:
		break;
	}
}

void smtp_server_enter(struct smtp_server *server, enum server_state state)
{
	if (server->state >= STATE_CLOSING && state < (enum server_state)server->state)
		return;
	server->state = (u8)state;
	server_arm(server);
}

void smtp_server_close(struct smtp_server *server, enum smtp_server_why why)
{
	if (server->state >= STATE_CLOSING)
		return;
	server->why = (u8)why;
	server->unread = SLICE_NONE;
	smtp_server_enter(server, STATE_CLOSING);
}

static void server_add(struct smtp_server *server, struct slice text)
{
	ASSERT(text.len <= (size_t)SMTP_SERVER_OUT_SIZE - server->out_end);
	memcpy(server->out + server->out_end, text.ptr, text.len);
	server->out_end = (u16)(server->out_end + text.len);
}

static void server_say_421(struct smtp_server *server, const char *line, enum smtp_server_why why)
{
	server_add(server, slice_of(line));
	server_add(server, SLICE("\r\n"));
	smtp_server_close(server, why);
}

static void server_count_error(struct smtp_server *server)
{
	/* What stood behind a refused MAIL in the pipeline is nobody's fault. */
	if (server->mail_refused && server->recipients <= server->params->recipients_max) {
		server->recipients++;
		return;
	}
	if (++server->errors >= server->params->errors_max)
		server_say_421(server, "421 4.7.0 too many errors", SMTP_SERVER_WHY_ERRORS);
}

void smtp_server_say(struct smtp_server *server, const char *line)
{
	server_add(server, slice_of(line));
	server_add(server, SLICE("\r\n"));
	if (line[0] == '5')
		server_count_error(server);
}

enum server_step smtp_server_ask(struct smtp_server *server, struct smtp_server_event *event,
				 enum smtp_server_event_type type)
{
	event->type = type;
	server->asked = (u8)type;
	smtp_server_enter(server, STATE_ASKING);
	return STEP_EVENT;
}

void smtp_server_clear(struct smtp_server *server)
{
	server->mail_open = false;
	server->mail_refused = false;
	server->mail_utf8 = false;
	server->rcpt_tried = false;
	server->chunked = false;
	server->dropped = false;
	server->spoiled = 0;
	server->recipients = 0;
	server->content_size = 0;
	server->text_state = TEXT_START;
}

enum server_step smtp_server_drop(struct smtp_server *server, struct smtp_server_event *event)
{
	if (!server->mail_open || server->dropped)
		return STEP_AGAIN;
	server->dropped = true;
	event->type = SMTP_SERVER_RESET;
	return STEP_EVENT;
}

static void server_greet(struct smtp_server *server)
{
	server_add(server, SLICE("220 "));
	server_add(server, server->params->host_name);
	server_add(server, SLICE(" ESMTP\r\n"));
	server->lockstep = true;
	smtp_server_enter(server, STATE_COMMAND);
}

void smtp_server_start(struct smtp_server *server, bool tls_active, u64 now_ns)
{
	ASSERT(server->state == STATE_NEW);
	server->now_ns = now_ns;
	server->tls_active = tls_active;
	if (server->params->pause_ms > 0)
		smtp_server_enter(server, STATE_PAUSE);
	else
		server_greet(server);
}

void smtp_server_receive(struct smtp_server *server, struct slice bytes, u64 now_ns)
{
	ASSERT(server->state != STATE_NEW);
	ASSERT(server->unread.len == 0);
	server->now_ns = now_ns;
	if (server->state >= STATE_CLOSING)
		return;
	server->unread = bytes;
	/* A part of a line does not put its timeout off. */
	if (bytes.len > 0 && (server->state == STATE_DATA || server->state == STATE_CHUNK))
		server_arm(server);
}

struct slice smtp_server_take_unread(struct smtp_server *server)
{
	struct slice unread = server->unread;

	server->unread = SLICE_NONE;
	return unread;
}

void smtp_server_closed(struct smtp_server *server, u64 now_ns)
{
	server->now_ns = now_ns;
	smtp_server_close(server, SMTP_SERVER_WHY_CLOSED);
	server->out_start = server->out_given = server->out_end = 0;
	smtp_server_enter(server, STATE_OVER);
}

u64 smtp_server_deadline(const struct smtp_server *server)
{
	return server->deadline_ns;
}

void smtp_server_tick(struct smtp_server *server, u64 now_ns)
{
	server->now_ns = now_ns;
	if (now_ns < server->deadline_ns)
		return;
	if (server->state == STATE_PAUSE) {
		server_greet(server);
	} else if (server->state < STATE_TLS_DUE &&
		   SMTP_SERVER_OUT_SIZE - server->out_end >= SMTP_SERVER_REPLY_MAX) {
		server_say_421(server, "421 4.4.2 too slow", SMTP_SERVER_WHY_TIMEOUT);
	} else {
		smtp_server_close(server, SMTP_SERVER_WHY_TIMEOUT);
		smtp_server_enter(server, STATE_OVER);
	}
}

void smtp_server_leave(struct smtp_server *server, u64 now_ns)
{
	server->now_ns = now_ns;
	server->leaving = true;
}

void smtp_server_tls_started(struct smtp_server *server, u64 now_ns)
{
	server->now_ns = now_ns;
	if (server->state >= STATE_CLOSING)
		return;
	ASSERT(server->state == STATE_TLS);
	server->tls_active = true;
	smtp_server_enter(server, STATE_COMMAND);
}

void smtp_server_tls_failed(struct smtp_server *server, u64 now_ns)
{
	server->now_ns = now_ns;
	if (server->state >= STATE_CLOSING)
		return;
	ASSERT(server->state == STATE_TLS);
	smtp_server_close(server, SMTP_SERVER_WHY_TLS);
	smtp_server_enter(server, STATE_OVER);
}

struct slice smtp_server_output(struct smtp_server *server)
{
	struct slice out = { server->out + server->out_start,
			     (size_t)server->out_end - server->out_start };

	if (server->state >= STATE_OVER)
		return SLICE_NONE;
	server->out_given = server->out_end;
	return out;
}

void smtp_server_sent(struct smtp_server *server, size_t bytes, u64 now_ns)
{
	server->now_ns = now_ns;
	if (server->state >= STATE_OVER)
		return;
	ASSERT(bytes <= (size_t)server->out_given - server->out_start);
	server->out_start = (u16)(server->out_start + bytes);
	/* Nothing is under way now, so that what is left may move down. */
	server->out_end = (u16)(server->out_end - server->out_start);
	server->out_given = (u16)(server->out_given - server->out_start);
	memmove(server->out, server->out + server->out_start, server->out_end);
	server->out_start = 0;
}

/*
 * Behind EHLO, DATA and the greeting the peer has to hear us first (RFC 2920 section 3.1, RFC 5321
 * section 3.1 and 4.3.1). What comes before it can have been written without knowing what we are
 * going to say: a robot's script, or content that would be taken for commands. False: it did.
 */
static bool server_keeps_step(struct smtp_server *server)
{
	if (server->out_given == server->out_end)
		server->lockstep = false;
	return !server->lockstep || server->unread.len == 0;
}

static void server_refuse_early(struct smtp_server *server)
{
	smtp_server_say(server, "554 5.5.0 spoke before it was asked");
	smtp_server_close(server, SMTP_SERVER_WHY_EARLY);
}

/* One step while lines or content are read. */
static enum server_step server_read(struct smtp_server *server, struct smtp_server_event *event)
{
	if (SMTP_SERVER_OUT_SIZE - server->out_end < SMTP_SERVER_REPLY_MAX)
		return STEP_MORE;
	if (!server_keeps_step(server)) {
		server_refuse_early(server);
		return STEP_AGAIN;
	}
	if (server->state == STATE_DATA)
		return smtp_server_data(server, event);
	if (server->state == STATE_CHUNK)
		return smtp_server_chunk(server, event);
	if (server->leaving) {
		server_say_421(server, "421 4.3.2 going away", SMTP_SERVER_WHY_CALLER);
		return STEP_AGAIN;
	}
	return smtp_server_command(server, event);
}

static enum server_step server_tls_due(struct smtp_server *server, struct smtp_server_event *event)
{
	/*
	 * Behind our 220 comes the handshake. What comes before it an attacker may have put there,
	 * to be read as if it had come through TLS (RFC 3207 section 6, CVE-2011-0411).
	 */
	if (!server_keeps_step(server)) {
		smtp_server_say(server, "554 5.5.0 bytes behind STARTTLS");
		smtp_server_close(server, SMTP_SERVER_WHY_TLS);
		return STEP_AGAIN;
	}
	if (server->out_end > server->out_start)
		return STEP_MORE;
	event->type = SMTP_SERVER_START_TLS;
	/* Section 4.2: what was said in the clear is forgotten. */
	smtp_server_clear(server);
	server->hello = false;
	server->esmtp = false;
	server->authenticated = false;
	smtp_server_enter(server, STATE_TLS);
	return STEP_EVENT;
}

static enum server_step server_pause(struct smtp_server *server)
{
	if (server->leaving)
		server_say_421(server, "421 4.3.2 going away", SMTP_SERVER_WHY_CALLER);
	else if (server->unread.len > 0)
		server_refuse_early(server);
	else
		return STEP_MORE;
	return STEP_AGAIN;
}

static enum server_step server_step(struct smtp_server *server, struct smtp_server_event *event)
{
	switch ((enum server_state)server->state) {
	case STATE_PAUSE:
		return server_pause(server);
	case STATE_COMMAND:
	case STATE_DATA:
	case STATE_CHUNK:
		return server_read(server, event);
	case STATE_TLS_DUE:
		return server_tls_due(server, event);
	case STATE_CLOSING:
		if (server->out_end > server->out_start)
			return STEP_MORE;
		smtp_server_enter(server, STATE_OVER);
		return STEP_AGAIN;
	case STATE_OVER:
		event->type = SMTP_SERVER_CLOSE;
		event->why = (enum smtp_server_why)server->why;
		smtp_server_auth_wipe(server);
		smtp_server_enter(server, STATE_GONE);
		return STEP_EVENT;
	case STATE_NEW:
	case STATE_ASKING:
	case STATE_TLS:
	case STATE_GONE:
		break;
	}
	return STEP_MORE;
}

bool smtp_server_next_event(struct smtp_server *server, struct smtp_server_event *event)
{
	enum server_step step;

	do {
		step = server_step(server, event);
	} while (step == STEP_AGAIN);
	return step == STEP_EVENT;
}

/* What was asked; SMTP_SERVER_CLOSE: nothing, or the connection has ended meanwhile. */
static enum smtp_server_event_type server_answered(struct smtp_server *server, u64 now_ns)
{
	enum smtp_server_event_type asked = (enum smtp_server_event_type)server->asked;

	server->now_ns = now_ns;
	if (server->state != STATE_ASKING)
		return SMTP_SERVER_CLOSE;
	if (asked == SMTP_SERVER_AUTH)
		smtp_server_auth_wipe(server);
	return asked;
}

void smtp_server_accept(struct smtp_server *server, u64 now_ns)
{
	switch (server_answered(server, now_ns)) {
	case SMTP_SERVER_MAIL:
		smtp_server_say(server, "250 2.1.0 ok");
		server->mail_open = true;
		server->message_ends_ns = server_after(server, server->params->message_ms);
		break;
	case SMTP_SERVER_RCPT:
		smtp_server_say(server, "250 2.1.5 ok");
		server->recipients++;
		break;
	case SMTP_SERVER_AUTH:
		smtp_server_say(server, "235 2.7.0 welcome");
		server->authenticated = true;
		break;
	case SMTP_SERVER_END:
		smtp_server_say(server, "250 2.0.0 taken");
		server->errors = 0;
		server->idle = 0;
		smtp_server_clear(server);
		break;
	default:
		return;
	}
	smtp_server_enter(server, STATE_COMMAND);
}

/* The caller's words: nothing in them may end the line or be more than ASCII (RFC 5321 4.2). */
static void server_add_words(struct smtp_server *server, u32 code, struct slice text)
{
	char line[4 + SMTP_SERVER_TEXT_MAX];
	size_t len = 4;

	text = slice_first(text, SMTP_SERVER_TEXT_MAX);
	line[0] = (char)('0' + code / 100);
	line[1] = (char)('0' + code / 10 % 10);
	line[2] = (char)('0' + code % 10);
	line[3] = ' ';
	for (size_t i = 0; i < text.len; i++)
		line[len++] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?';
	server_add(server, (struct slice){ line, len });
	server_add(server, SLICE("\r\n"));
}

void smtp_server_refuse(struct smtp_server *server, u32 code, struct slice text, u64 now_ns)
{
	enum smtp_server_event_type asked = server_answered(server, now_ns);
	bool guessed = asked == SMTP_SERVER_AUTH && code >= 500;

	ASSERT(code >= 400 && code <= 599);
	if (asked == SMTP_SERVER_CLOSE)
		return;
	server_add_words(server, code, text);
	if (code == 421)
		smtp_server_close(server, SMTP_SERVER_WHY_CALLER);
	else if (guessed && ++server->auth_failures >= server->params->auth_failures_max)
		server_say_421(server, "421 4.7.0 too many bad passwords", SMTP_SERVER_WHY_ERRORS);
	else if (code >= 500)
		server_count_error(server);
	if (asked == SMTP_SERVER_END)
		smtp_server_clear(server);
	else if (asked == SMTP_SERVER_MAIL)
		server->mail_refused = true;
	smtp_server_enter(server, STATE_COMMAND);
}
