/*
 * Between server.c (life, events, time, replies), server_command.c (lines and the table of
 * commands), server_content.c (DATA and BDAT) and server_auth.c. Nobody else includes this.
 */
#ifndef SMTP_SERVER_OWN_H
#define SMTP_SERVER_OWN_H

#include "smtp/server.h"

/* Nothing is read unless a reply as long as this has room: that of EHLO is the longest. */
#define SMTP_SERVER_REPLY_MAX 640

enum server_state {
	STATE_NEW,
	STATE_PAUSE,   /* before the greeting */
	STATE_COMMAND, /* a line is waited for */
	STATE_DATA,    /* content up to the dot */
	STATE_CHUNK,   /* content of a BDAT */
	STATE_ASKING,  /* the caller's answer is waited for */
	STATE_TLS_DUE, /* our 220 to STARTTLS goes out */
	STATE_TLS,     /* the handshake is the caller's */
	STATE_CLOSING, /* the last reply goes out; from here on there is no way back */
	STATE_OVER,
	STATE_GONE,    /* CLOSE was told */
};

/* Where in a line of content the next byte stands. */
enum text_state {
	TEXT_START,  /* at its beginning */
	TEXT_DOT,    /* behind a dot at its beginning, which is not passed on */
	TEXT_DOT_CR, /* behind that and a CR */
	TEXT_LINE,
	TEXT_CR,     /* behind a CR, which is not passed on yet */
};

/* Why content is read and not taken; the first of those that hold is told. */
enum content_fault {
	FAULT_NO_MAIL = 1 << 0,
	FAULT_NO_RECIPIENT = 1 << 1,
	FAULT_BARE = 1 << 2,
	FAULT_SIZE = 1 << 3,
	FAULT_NUL = 1 << 4,
};

enum auth_step { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN_NAME, AUTH_LOGIN_PASSWORD };

/* What a piece of work led to. */
enum server_step {
	STEP_MORE,  /* nothing can be done without more from the peer */
	STEP_AGAIN, /* something was done, go on */
	STEP_EVENT, /* the event is filled in */
};

/* server.c */
/* The one setter of the state; arms its timeout. */
void smtp_server_enter(struct smtp_server *server, enum server_state state);
/* One line, without its CRLF. 5yz count; after too many of them the connection closes. */
void smtp_server_say(struct smtp_server *server, const char *line);
/* No more is read; what was said still goes out. */
void smtp_server_close(struct smtp_server *server, enum smtp_server_why why);
/* The event asks; the caller's answer is waited for. */
enum server_step smtp_server_ask(struct smtp_server *server, struct smtp_server_event *event,
				 enum smtp_server_event_type type);
/* The transaction is over, and everything about it forgotten. */
void smtp_server_clear(struct smtp_server *server);
/* Tells the caller so, when it knows of one. */
enum server_step smtp_server_drop(struct smtp_server *server, struct smtp_server_event *event);
/* Whether AUTH can be said now: on a submission port, and where nobody listens to it. */
static inline bool smtp_server_may_auth(const struct smtp_server *server)
{
	return server->params->mode == SMTP_SERVER_SUBMISSION &&
	       (server->tls_active || server->params->clear_auth);
}
static inline void smtp_server_take(struct smtp_server *server, size_t len)
{
	server->unread.ptr += len;
	server->unread.len -= len;
}

/* server_command.c: one line of what is unread */
enum server_step smtp_server_command(struct smtp_server *server, struct smtp_server_event *event);

/* server_content.c: a part of the content, or its end */
enum server_step smtp_server_data(struct smtp_server *server, struct smtp_server_event *event);
enum server_step smtp_server_chunk(struct smtp_server *server, struct smtp_server_event *event);
/* Content will not be taken, or is not taken any more. */
enum server_step smtp_server_spoil(struct smtp_server *server, enum content_fault fault,
				   struct smtp_server_event *event);

/* server_auth.c: the command, and the lines that answer our 334 */
enum server_step smtp_server_auth(struct smtp_server *server, struct slice argument,
				  struct smtp_server_event *event);
enum server_step smtp_server_auth_line(struct smtp_server *server, struct slice line,
				       struct smtp_server_event *event);
void smtp_server_auth_wipe(struct smtp_server *server);

#endif
