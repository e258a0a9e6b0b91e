/*
 * Content, as it comes: DATA up to the dot, BDAT by its count. Only CR LF ends a line and only
 * CR LF . CR LF ends DATA (RFC 5321 section 2.3.8 and 4.1.1.4). Whoever takes a bare LF for a line
 * end sees another end of the message than we do, which is how mail is smuggled (CVE-2023-51764 to
 * -51766): such content is refused as a whole, at the end that we see.
 */
#include "smtp/server_own.h"

#include "base/text.h"
#include "smtp/command.h"

#include <string.h>

/* Content that is over the limit is read on, so that its sender hears 552, up to twice of it. */
#define EXCESS_FACTOR 2

static const struct {
	enum content_fault fault;
	const char *reply;
} fault_rows[] = {
	{ FAULT_NO_MAIL, "503 5.5.1 MAIL first" },
	{ FAULT_NO_RECIPIENT, "554 5.5.1 no valid recipients" },
	{ FAULT_BARE, "550 5.6.0 bare CR or LF in the content" },
	{ FAULT_SIZE, "552 5.3.4 message too large" },
	{ FAULT_NUL, "554 5.6.0 NUL in the content" }, /* RFC 2045 section 2.7 and 2.8 */
};

static void content_refuse(struct smtp_server *server)
{
	u32 row = 0;

	while (!(server->spoiled & fault_rows[row].fault))
		row++;
	smtp_server_say(server, fault_rows[row].reply);
}

static void content_count(struct smtp_server *server, size_t len)
{
	server->content_size += len;
	if (server->content_size <= server->params->size_max * EXCESS_FACTOR)
		return;
	server->spoiled = FAULT_SIZE;
	content_refuse(server);
	smtp_server_close(server, SMTP_SERVER_WHY_PROTOCOL);
}

enum server_step smtp_server_spoil(struct smtp_server *server, enum content_fault fault,
				   struct smtp_server_event *event)
{
	server->spoiled |= (u8)fault;
	return smtp_server_drop(server, event);
}

static void content_take(struct smtp_server *server, size_t len)
{
	smtp_server_take(server, len);
	if (server->state == STATE_CHUNK)
		server->chunk_left -= len;
}

/* So many bytes that cannot be passed on. */
static enum server_step content_bad(struct smtp_server *server, size_t len,
				    enum content_fault fault, struct smtp_server_event *event)
{
	content_count(server, len);
	return smtp_server_spoil(server, fault, event);
}

static enum server_step content_pass(struct smtp_server *server, struct slice text,
				     struct smtp_server_event *event)
{
	content_count(server, text.len);
	if (server->content_size > server->params->size_max)
		return smtp_server_spoil(server, FAULT_SIZE, event);
	if (server->spoiled)
		return STEP_AGAIN;
	event->type = SMTP_SERVER_CONTENT;
	event->text = text;
	return STEP_EVENT;
}

/*
 * How much of the input, which stands within a line, can be passed on as it is: whole lines, and
 * the last one as far as it came. It ends in front of a dot at the beginning of a line (`dots`) and
 * of anything that has to be looked at by itself.
 */
static size_t text_run(struct slice in, bool dots, bool *at_start)
{
	static const bool ends[256] = { ['\0'] = true, ['\r'] = true, ['\n'] = true };
	size_t at = 0;

	*at_start = false;
	while (at < in.len) {
		if (!ends[(unsigned char)in.ptr[at]]) {
			*at_start = false;
			at++;
			continue;
		}
		if (in.ptr[at] != '\r' || at + 1 == in.len || in.ptr[at + 1] != '\n')
			break;
		at += 2;
		*at_start = true;
		if (dots && at < in.len && in.ptr[at] == '.')
			break;
	}
	return at;
}

/* The input stands within a line, or behind a CR in it. */
static enum server_step text_read(struct smtp_server *server, struct slice in, bool dots,
				  struct smtp_server_event *event)
{
	bool at_start;
	size_t len;

	if (server->text_state == TEXT_CR) {
		if (in.ptr[0] != '\n') {
			server->text_state = TEXT_LINE;
			return content_bad(server, 1, FAULT_BARE, event);
		}
		server->text_state = TEXT_START;
		content_take(server, 1);
		return content_pass(server, SLICE("\r\n"), event);
	}
	len = text_run(in, dots, &at_start);
	if (len > 0) {
		server->text_state = at_start ? TEXT_START : TEXT_LINE;
		content_take(server, len);
		return content_pass(server, slice_first(in, len), event);
	}
	server->text_state = TEXT_LINE;
	content_take(server, 1);
	if (in.ptr[0] == '\r') {
		/* Alone at the end of what came, or not in front of LF: the next byte tells. */
		server->text_state = TEXT_CR;
		return STEP_AGAIN;
	}
	return content_bad(server, 1, in.ptr[0] == '\n' ? FAULT_BARE : FAULT_NUL, event);
}

static enum server_step data_end(struct smtp_server *server, struct smtp_server_event *event)
{
	if (!server->spoiled) {
		event->size = server->content_size;
		return smtp_server_ask(server, event, SMTP_SERVER_END);
	}
	content_refuse(server);
	/* Its idea of where lines end is not ours: nothing behind is taken for a command. */
	if (server->spoiled & FAULT_BARE)
		smtp_server_close(server, SMTP_SERVER_WHY_BARE);
	smtp_server_clear(server);
	smtp_server_enter(server, STATE_COMMAND);
	return STEP_AGAIN;
}

enum server_step smtp_server_data(struct smtp_server *server, struct smtp_server_event *event)
{
	struct slice in = server->unread;

	if (in.len == 0)
		return STEP_MORE;
	switch ((enum text_state)server->text_state) {
	case TEXT_START:
		server->text_state = in.ptr[0] == '.' ? TEXT_DOT : TEXT_LINE;
		content_take(server, in.ptr[0] == '.');
		return STEP_AGAIN;
	case TEXT_DOT: /* section 4.5.2: it is not content, whatever follows */
		server->text_state = in.ptr[0] == '\r' ? TEXT_DOT_CR : TEXT_LINE;
		content_take(server, in.ptr[0] == '\r');
		return STEP_AGAIN;
	case TEXT_DOT_CR:
		if (in.ptr[0] != '\n') {
			server->text_state = TEXT_LINE;
			return content_bad(server, 1, FAULT_BARE, event);
		}
		content_take(server, 1);
		return data_end(server, event);
	case TEXT_LINE:
	case TEXT_CR:
		break;
	}
	return text_read(server, in, true, event);
}

static void say_chunk_taken(struct smtp_server *server)
{
	char line[SMTP_DIGITS_MAX + 32] = "250 2.0.0 ";
	size_t len = strlen(line);

	len += smtp_digits_write(line + len, server->content_size);
	memcpy(line + len, " bytes", sizeof(" bytes"));
	smtp_server_say(server, line);
}

static enum server_step chunk_end(struct smtp_server *server, struct smtp_server_event *event)
{
	bool whole = server->chunk_last || !server->mail_open;

	if (server->chunk_last && server->text_state == TEXT_CR) {
		server->text_state = TEXT_LINE;
		return content_bad(server, 1, FAULT_BARE, event);
	}
	if (!server->spoiled && whole) {
		event->size = server->content_size;
		return smtp_server_ask(server, event, SMTP_SERVER_END);
	}
	/* Its count says where the chunk ends, whatever is in it: the dialogue goes on. */
	if (server->spoiled)
		content_refuse(server);
	else
		say_chunk_taken(server);
	if (whole && server->mail_open) {
		smtp_server_clear(server);
	} else if (whole) {
		server->spoiled = 0;
		server->content_size = 0;
		server->text_state = TEXT_START;
	}
	smtp_server_enter(server, STATE_COMMAND);
	return STEP_AGAIN;
}

enum server_step smtp_server_chunk(struct smtp_server *server, struct smtp_server_event *event)
{
	struct slice in = slice_first(server->unread, server->chunk_left);

	if (server->chunk_left == 0)
		return chunk_end(server, event);
	if (in.len == 0)
		return STEP_MORE;
	return text_read(server, in, false, event);
}
