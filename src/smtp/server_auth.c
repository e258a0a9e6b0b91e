/*
 * AUTH PLAIN (RFC 4616) and LOGIN, behind TLS only (RFC 4954). What is decoded stands at the front
 * of the line buffer, where a line is not needed any more: LOGIN's name, with the next line read
 * behind it, then the password.
 */
#include "smtp/server_own.h"

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

#define CREDENTIAL_MAX 255
#define RESPONSE_MAX (3 * CREDENTIAL_MAX + 2) /* PLAIN: three of them, and NULs between */

_Static_assert(CREDENTIAL_MAX + (RESPONSE_MAX + 2) / 3 * 4 + 2 <= SMTP_SERVER_LINE_MAX,
	       "a name, and a response in base64 behind it");

void smtp_server_auth_wipe(struct smtp_server *server)
{
	explicit_bzero(server->line, sizeof(server->line));
	server->line_start = 0;
	server->line_end = 0;
}

static enum server_step auth_refuse(struct smtp_server *server, const char *line)
{
	server->auth_step = AUTH_NONE;
	smtp_server_auth_wipe(server);
	smtp_server_say(server, line);
	return STEP_AGAIN;
}

static enum server_step auth_challenge(struct smtp_server *server, enum auth_step step,
				       const char *line)
{
	server->auth_step = (u8)step;
	smtp_server_say(server, line);
	return STEP_AGAIN;
}

/* Decodes to the line buffer at line_start; false: no base64, or too long. */
static bool auth_decode(struct smtp_server *server, struct slice response, struct slice *decoded)
{
	char bytes[RESPONSE_MAX];
	size_t len = 0;
	bool good;

	/* The decoder lets white space pass; a response is one word. */
	good = slice_find_char(response, ' ') < 0 && slice_find_char(response, '\t') < 0 &&
	       slice_find_char(response, '\r') < 0 &&
	       base64_decode(bytes, sizeof(bytes), &len, response);
	if (good) {
		memcpy(server->line + server->line_start, bytes, len);
		*decoded = (struct slice){ server->line + server->line_start, len };
	}
	explicit_bzero(bytes, sizeof(bytes));
	return good;
}

static bool credential_is_valid(struct slice s)
{
	return s.len <= CREDENTIAL_MAX && slice_find_char(s, '\0') < 0 && utf8_is_valid(s);
}

static enum server_step auth_ask(struct smtp_server *server, struct smtp_server_event *event)
{
	const struct smtp_credentials *given = &event->credentials;

	if (given->name.len == 0 || given->password.len == 0 ||
	    !credential_is_valid(given->authorize) || !credential_is_valid(given->name) ||
	    !credential_is_valid(given->password))
		return auth_refuse(server, "501 5.5.2 bad name or password");
	server->auth_step = AUTH_NONE;
	return smtp_server_ask(server, event, SMTP_SERVER_AUTH);
}

static enum server_step plain_response(struct smtp_server *server, struct slice response,
				       struct smtp_server_event *event)
{
	struct smtp_credentials *given = &event->credentials;
	struct slice rest;

	if (!auth_decode(server, response, &rest))
		return auth_refuse(server, "501 5.5.2 bad base64");
	given->authorize = slice_split(&rest, '\0');
	given->name = slice_split(&rest, '\0');
	given->password = rest; /* one NUL too many is in it, and refused; one too few: empty */
	return auth_ask(server, event);
}

static enum server_step login_name(struct smtp_server *server, struct slice response)
{
	struct slice name;

	if (!auth_decode(server, response, &name) || !credential_is_valid(name))
		return auth_refuse(server, "501 5.5.2 bad name");
	server->line_start = (u16)name.len;
	server->line_end = server->line_start;
	/* "Password:" */
	return auth_challenge(server, AUTH_LOGIN_PASSWORD, "334 UGFzc3dvcmQ6");
}

static enum server_step login_password(struct smtp_server *server, struct slice response,
				       struct smtp_server_event *event)
{
	struct smtp_credentials *given = &event->credentials;

	if (!auth_decode(server, response, &given->password))
		return auth_refuse(server, "501 5.5.2 bad base64");
	given->authorize = SLICE_NONE;
	given->name = (struct slice){ server->line, server->line_start };
	return auth_ask(server, event);
}

enum server_step smtp_server_auth_line(struct smtp_server *server, struct slice line,
				       struct smtp_server_event *event)
{
	if (slice_equal(line, SLICE("*")))
		return auth_refuse(server, "501 5.7.0 cancelled");
	switch ((enum auth_step)server->auth_step) {
	case AUTH_PLAIN:
		return plain_response(server, line, event);
	case AUTH_LOGIN_NAME:
		return login_name(server, line);
	case AUTH_LOGIN_PASSWORD:
		return login_password(server, line, event);
	case AUTH_NONE:
		break;
	}
	ASSERT(false);
	return STEP_AGAIN;
}

enum server_step smtp_server_auth(struct smtp_server *server, struct slice argument,
				  struct smtp_server_event *event)
{
	struct slice response = argument;
	struct slice mechanism = slice_split(&response, ' ');
	bool plain = slice_equal_nocase(mechanism, SLICE("PLAIN"));

	if (server->params->mode != SMTP_SERVER_SUBMISSION) {
		smtp_server_say(server, "502 5.5.1 no AUTH here");
		return STEP_AGAIN;
	}
	/* RFC 4954 section 6. What came with it was said in the clear, alas. */
	if (!smtp_server_may_auth(server)) {
		smtp_server_auth_wipe(server);
		smtp_server_say(server, "538 5.7.11 STARTTLS first");
		return STEP_AGAIN;
	}
	if (!server->hello || server->authenticated || server->mail_open) {
		smtp_server_say(server, "503 5.5.1 not now");
		return STEP_AGAIN;
	}
	if (!plain && !slice_equal_nocase(mechanism, SLICE("LOGIN"))) {
		smtp_server_say(server, "504 5.5.4 PLAIN or LOGIN");
		return STEP_AGAIN;
	}
	if (!response.ptr && plain)
		return auth_challenge(server, AUTH_PLAIN, "334 ");
	/* "Username:" */
	if (!response.ptr)
		return auth_challenge(server, AUTH_LOGIN_NAME, "334 VXNlcm5hbWU6");
	/* Section 4: "=" is an initial response of no bytes. */
	if (slice_equal(response, SLICE("=")))
		response = SLICE_NONE;
	server->auth_step = plain ? AUTH_PLAIN : AUTH_LOGIN_NAME;
	return smtp_server_auth_line(server, response, event);
}
