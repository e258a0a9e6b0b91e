/*
 * Command lines, and the table of commands.
 */
#include "smtp/server_own.h"

#include "base/check.h"
#include "base/text.h"
#include "smtp/command.h"

#include <string.h>

/* Of a line that is too long so many times SMTP_SERVER_LINE_MAX are read and dropped. */
#define OVERLONG_MAX 32

enum {
	ROW_IDLE = 1 << 0,      /* no part of a message: not too many of them in a row */
	ROW_CLEAR = 1 << 1,     /* a submission port knows it before TLS (RFC 3207 section 4) */
	ROW_ADDRESSES = 1 << 2, /* octets over 127 may be in its line */
	ROW_BARE = 1 << 3,      /* takes no argument */
};

struct command_row {
	struct slice verb;
	u8 flags;
	enum server_step (*act)(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event);
};

static enum server_step say(struct smtp_server *server, const char *line)
{
	smtp_server_say(server, line);
	return STEP_AGAIN;
}

struct hello_reply {
	size_t len;
	size_t last; /* where its last line begins */
	char text[SMTP_SERVER_REPLY_MAX];
};

static void hello_add(struct hello_reply *reply, struct slice words, u64 number)
{
	char digits[SMTP_DIGITS_MAX];
	size_t count = number > 0 ? smtp_digits_write(digits, number) : 0;

	ASSERT(reply->len + 6 + words.len + count <= sizeof(reply->text));
	if (reply->len > 0) {
		memcpy(reply->text + reply->len, "\r\n", 2);
		reply->len += 2;
	}
	reply->last = reply->len;
	memcpy(reply->text + reply->len, "250-", 4);
	memcpy(reply->text + reply->len + 4, words.ptr, words.len);
	memcpy(reply->text + reply->len + 4 + words.len, digits, count);
	reply->len += 4 + words.len + count;
}

static void say_hello(struct smtp_server *server)
{
	const struct smtp_server_params *params = server->params;
	struct hello_reply reply = { .len = 0 };

	hello_add(&reply, params->host_name, 0);
	if (server->esmtp) {
		hello_add(&reply, SLICE("PIPELINING"), 0);
		hello_add(&reply, SLICE("SIZE "), params->size_max);
		hello_add(&reply, SLICE("8BITMIME"), 0);
		hello_add(&reply, SLICE("SMTPUTF8"), 0);
		hello_add(&reply, SLICE("ENHANCEDSTATUSCODES"), 0);
		hello_add(&reply, SLICE("CHUNKING"), 0);
		hello_add(&reply, SLICE("DSN"), 0);
		if (params->tls_offered && !server->tls_active)
			hello_add(&reply, SLICE("STARTTLS"), 0);
		if (smtp_server_may_auth(server))
			hello_add(&reply, SLICE("AUTH PLAIN LOGIN"), 0);
		hello_add(&reply, SLICE("LIMITS RCPTMAX="), params->recipients_max);
	}
	reply.text[reply.last + 3] = ' ';
	reply.text[reply.len] = '\0';
	smtp_server_say(server, reply.text);
}

/*
 * The name is not judged beyond its characters: hosts that bounce mail have names of all kinds, and
 * nothing here relies on it.
 */
static enum server_step hello(struct smtp_server *server, struct slice name, bool esmtp,
			      struct smtp_server_event *event)
{
	server->lockstep = true;
	if (name.len == 0 || name.len > SMTP_DOMAIN_MAX || slice_find_char(name, ' ') >= 0)
		return say(server, "501 5.5.4 one name has to follow");
	smtp_server_clear(server);
	server->hello = true;
	server->esmtp = esmtp;
	say_hello(server);
	event->type = SMTP_SERVER_HELLO;
	event->esmtp = esmtp;
	event->text = name;
	return STEP_EVENT;
}

static enum server_step on_ehlo(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	return hello(server, argument, true, event);
}

static enum server_step on_helo(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	return hello(server, argument, false, event);
}

static struct smtp_offer server_offer(const struct smtp_server *server)
{
	return (struct smtp_offer){
		.esmtp = server->esmtp,
		.auth = smtp_server_may_auth(server),
		.utf8 = server->mail_utf8,
	};
}

static enum server_step on_mail(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	const struct smtp_server_params *params = server->params;
	struct smtp_offer offer = server_offer(server);
	const char *refusal;

	server->mail_refused = false;
	if (!server->mail_open)
		server->recipients = 0;
	if (!server->hello)
		return say(server, "503 5.5.1 EHLO first");
	if (params->mode == SMTP_SERVER_SUBMISSION && !server->authenticated)
		return say(server, "530 5.7.0 AUTH first");
	if (server->mail_open)
		return say(server, "503 5.5.1 MAIL within a transaction");
	if (server->messages == params->messages_max) {
		smtp_server_say(server, "421 4.7.0 enough messages for one connection");
		smtp_server_close(server, SMTP_SERVER_WHY_ERRORS);
		return STEP_AGAIN;
	}
	refusal = smtp_mail_read(&event->mail, argument, &offer);
	if (!refusal && event->mail.size > params->size_max)
		refusal = "552 5.3.4 message too large";
	if (refusal) {
		smtp_server_say(server, refusal);
		server->mail_refused = true;
		return STEP_AGAIN;
	}
	server->messages++;
	server->mail_utf8 = event->mail.utf8;
	return smtp_server_ask(server, event, SMTP_SERVER_MAIL);
}

static enum server_step on_rcpt(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	struct smtp_offer offer = server_offer(server);
	const char *refusal;

	if (!server->mail_open || server->chunked)
		return say(server, server->chunked ? "503 5.5.1 RCPT behind BDAT" :
						     "503 5.5.1 MAIL first");
	server->rcpt_tried = true;
	if (server->recipients == server->params->recipients_max)
		return say(server, "452 4.5.3 too many recipients");
	refusal = smtp_rcpt_read(&event->rcpt, argument, &offer);
	if (refusal)
		return say(server, refusal);
	return smtp_server_ask(server, event, SMTP_SERVER_RCPT);
}

static enum server_step on_data(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	server->lockstep = true;
	if (!server->mail_open)
		return say(server, "503 5.5.1 MAIL first");
	if (server->chunked)
		return say(server, "503 5.5.1 DATA behind BDAT");
	if (server->recipients == 0)
		return say(server, server->rcpt_tried ? "554 5.5.1 no valid recipients" :
							"503 5.5.1 RCPT first");
	smtp_server_say(server, "354 go on, end with a dot");
	smtp_server_enter(server, STATE_DATA);
	return STEP_AGAIN;
}

/*
 * Whatever is wrong, the chunk stands behind the line and has to be read (RFC 3030 section 2); when
 * its length cannot be known, or is beyond what is read for nothing, there is no way on.
 */
static enum server_step on_bdat(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	u64 size_max = server->params->size_max;
	struct slice last = argument;
	struct slice digits = slice_split(&last, ' ');
	u64 size;

	last = slice_trim(last);
	if (!slice_to_u64(digits, &size) ||
	    (last.len > 0 && !slice_equal_nocase(last, SLICE("LAST")))) {
		smtp_server_say(server, "501 5.5.4 BDAT length [LAST]");
		smtp_server_close(server, SMTP_SERVER_WHY_PROTOCOL);
		return STEP_AGAIN;
	}
	server->chunk_left = size;
	server->chunk_last = last.len > 0;
	smtp_server_enter(server, STATE_CHUNK);
	if (!server->mail_open)
		return smtp_server_spoil(server, FAULT_NO_MAIL, event);
	server->chunked = true;
	if (server->recipients == 0)
		return smtp_server_spoil(server, FAULT_NO_RECIPIENT, event);
	if (size > size_max - min_u64(server->content_size, size_max))
		return smtp_server_spoil(server, FAULT_SIZE, event);
	return STEP_AGAIN;
}

static enum server_step on_rset(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	enum server_step step = smtp_server_drop(server, event);

	(void)argument;
	smtp_server_clear(server);
	smtp_server_say(server, "250 2.0.0 ok");
	return step;
}

static enum server_step on_noop(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	return say(server, "250 2.0.0 ok");
}

static enum server_step on_vrfy(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)event;
	/* Section 7.3: who is here is not told to who asks. */
	return say(server, argument.len > 0 ? "252 2.0.0 try RCPT" : "501 5.5.4 whom?");
}

static enum server_step on_help(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	return say(server, "214 2.0.0 RFC 5321");
}

static enum server_step on_unimplemented(struct smtp_server *server, struct slice argument,
					 struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	return say(server, "502 5.5.1 not here");
}

static enum server_step on_quit(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	smtp_server_say(server, "221 2.0.0 bye");
	smtp_server_close(server, SMTP_SERVER_WHY_QUIT);
	return STEP_AGAIN;
}

static enum server_step on_starttls(struct smtp_server *server, struct slice argument,
				    struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	if (!server->params->tls_offered && !server->tls_active)
		return say(server, "502 5.5.1 no TLS here");
	if (server->tls_active || !server->hello)
		return say(server, server->hello ? "503 5.5.1 TLS is on" : "503 5.5.1 EHLO first");
	smtp_server_say(server, "220 2.0.0 go on");
	server->lockstep = true;
	smtp_server_enter(server, STATE_TLS_DUE);
	return STEP_AGAIN;
}

/* A web browser was made to talk to us: what it says further is its page's author's. */
static enum server_step on_http(struct smtp_server *server, struct slice argument,
				struct smtp_server_event *event)
{
	(void)argument;
	(void)event;
	smtp_server_say(server, "554 5.5.0 this is SMTP");
	smtp_server_close(server, SMTP_SERVER_WHY_PROTOCOL);
	return STEP_AGAIN;
}

static const struct command_row rows[] = {
	{ SLICE("EHLO"), ROW_IDLE | ROW_CLEAR, on_ehlo },
	{ SLICE("HELO"), ROW_IDLE | ROW_CLEAR, on_helo },
	{ SLICE("MAIL"), ROW_ADDRESSES, on_mail },
	{ SLICE("RCPT"), ROW_ADDRESSES, on_rcpt },
	{ SLICE("DATA"), ROW_BARE, on_data },
	{ SLICE("BDAT"), ROW_CLEAR, on_bdat }, /* whose chunk has to be read in any case */
	{ SLICE("RSET"), ROW_IDLE | ROW_CLEAR | ROW_BARE, on_rset },
	{ SLICE("NOOP"), ROW_IDLE | ROW_CLEAR, on_noop },
	{ SLICE("QUIT"), ROW_CLEAR, on_quit },
	{ SLICE("STARTTLS"), ROW_IDLE | ROW_CLEAR | ROW_BARE, on_starttls },
	{ SLICE("AUTH"), ROW_IDLE | ROW_CLEAR, smtp_server_auth }, /* it has a reply of its own */
	{ SLICE("VRFY"), ROW_IDLE | ROW_ADDRESSES, on_vrfy },
	{ SLICE("EXPN"), ROW_IDLE | ROW_ADDRESSES, on_unimplemented },
	{ SLICE("HELP"), ROW_IDLE, on_help },
	{ SLICE("GET"), ROW_CLEAR, on_http },
	{ SLICE("HEAD"), ROW_CLEAR, on_http },
	{ SLICE("POST"), ROW_CLEAR, on_http },
	{ SLICE("PUT"), ROW_CLEAR, on_http },
	{ SLICE("OPTIONS"), ROW_CLEAR, on_http },
	{ SLICE("CONNECT"), ROW_CLEAR, on_http },
};

/* What the line is made of; NULL: nothing is wrong with that. */
static const char *line_fault(struct slice line, bool addresses)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char byte = (unsigned char)line.ptr[i];

		if (byte < ' ' || byte == 0x7f)
			return "500 5.5.2 control characters";
		if (byte > 0x7f && !addresses)
			return "500 5.5.2 not in ASCII";
	}
	return NULL;
}

static enum server_step command(struct smtp_server *server, struct slice line,
				struct smtp_server_event *event)
{
	struct slice argument = line;
	struct slice verb = slice_split(&argument, ' ');
	const struct command_row *row = NULL;
	const char *fault;

	argument = slice_trim(argument);
	for (u32 i = 0; i < array_count(rows) && !row; i++) {
		if (slice_equal_nocase(verb, rows[i].verb))
			row = &rows[i];
	}
	fault = line_fault(line, row && (row->flags & ROW_ADDRESSES));
	if (fault || !row)
		return say(server, fault ? fault : "500 5.5.1 unknown command");
	if (server->params->mode == SMTP_SERVER_SUBMISSION && !smtp_server_may_auth(server) &&
	    !(row->flags & ROW_CLEAR))
		return say(server, "530 5.7.0 STARTTLS first");
	if ((row->flags & ROW_IDLE) && ++server->idle > server->params->idle_max) {
		smtp_server_say(server, "421 4.7.0 too many commands");
		smtp_server_close(server, SMTP_SERVER_WHY_ERRORS);
		return STEP_AGAIN;
	}
	if ((row->flags & ROW_BARE) && argument.len > 0) {
		/* Content may stand behind this, too. */
		server->lockstep = server->lockstep || row->act == on_data;
		return say(server, "501 5.5.4 nothing may follow");
	}
	return row->act(server, argument, event);
}

static size_t line_room(const struct smtp_server *server)
{
	return (size_t)SMTP_SERVER_LINE_MAX - server->line_end;
}

/* The line so far is dropped, but for its last byte: a CR there may belong to its end. */
static void line_drop(struct smtp_server *server)
{
	server->line[server->line_start] = server->line[SMTP_SERVER_LINE_MAX - 1];
	server->line_end = (u16)(server->line_start + 1);
	if (++server->overlong < OVERLONG_MAX)
		return;
	smtp_server_say(server, "500 5.5.2 line too long");
	smtp_server_close(server, SMTP_SERVER_WHY_PROTOCOL);
}

/* Moves a part of what is unread to the line; true: its LF has come. */
static bool line_read(struct smtp_server *server)
{
	size_t room = line_room(server);
	const char *lf = memchr(server->unread.ptr, '\n', min_size(server->unread.len, room));
	size_t len = lf ? (size_t)(lf - server->unread.ptr) + 1 :
			  min_size(server->unread.len, room);

	memcpy(server->line + server->line_end, server->unread.ptr, len);
	server->line_end = (u16)(server->line_end + len);
	smtp_server_take(server, len);
	if (!lf && len == room)
		line_drop(server);
	return lf != NULL;
}

enum server_step smtp_server_command(struct smtp_server *server, struct smtp_server_event *event)
{
	struct slice line;
	bool overlong;

	if (server->unread.len == 0)
		return STEP_MORE;
	if (!line_read(server))
		return STEP_AGAIN;
	line = (struct slice){ server->line + server->line_start,
			       (size_t)server->line_end - server->line_start - 1 };
	overlong = server->overlong > 0;
	server->line_end = server->line_start;
	server->overlong = 0;
	/* The only CR stands in front of the LF: section 2.3.8. */
	if (line.len == 0 || slice_find_char(line, '\r') != (i64)line.len - 1) {
		smtp_server_say(server, "500 5.5.2 bare CR or LF");
		smtp_server_close(server, SMTP_SERVER_WHY_BARE);
		return STEP_AGAIN;
	}
	/* Section 4.1.1: white space at the end is tolerated. */
	line = slice_first(line, line.len - 1);
	while (line.len > 0 && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
		line.len--;
	smtp_server_enter(server, STATE_COMMAND);
	if (overlong) {
		server->auth_step = AUTH_NONE;
		smtp_server_auth_wipe(server);
		return say(server, "500 5.5.2 line too long");
	}
	if (server->auth_step != AUTH_NONE)
		return smtp_server_auth_line(server, line, event);
	return command(server, line, event);
}
