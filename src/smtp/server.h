/*
 * SMTP server (RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 9422), sans-I/O:
 * bytes and a clock in, events and bytes out. One struct per connection, no allocation; nothing
 * calls back. The caller owns the connection:
 *
 *   accepted       smtp_server_start
 *   bytes came     smtp_server_receive
 *   may write      smtp_server_output -> send -> smtp_server_sent, until output is empty
 *   time passed    smtp_server_deadline / smtp_server_tick
 *   peer closed    smtp_server_closed
 *
 * After receive, sent, tick, closed, an answer, tls_started, tls_failed and leave the caller takes
 * events by smtp_server_next_event until it returns false, and then asks for output.
 *
 * MAIL, RCPT, AUTH and END ask: until the caller has answered (at once, or much later) nothing
 * more is read. What came meanwhile is not kept here: smtp_server_take_unread says what it is, the
 * caller keeps it, stops reading from the peer, and gives it again in front of what comes next.
 *
 * A message's content is never held: CONTENT events show it as it comes. See README.md.
 */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "base/types.h"
#include "smtp/envelope.h"

/*
 * Longest command line with its CRLF. RFC 5321 section 4.5.3.1.4 has 512, RFC 3461 section 4.2
 * adds 500 for ORCPT, RFC 6531 more; base64 of name and password, 255 octets each, is 700.
 */
#define SMTP_SERVER_LINE_MAX 2048
#define SMTP_SERVER_OUT_SIZE 1024
#define SMTP_SERVER_TEXT_MAX 200 /* of a caller's words in a reply; the rest is cut off */

enum smtp_server_mode {
	SMTP_SERVER_MX,         /* takes mail from anybody for whom RCPT is accepted; no AUTH */
	SMTP_SERVER_SUBMISSION, /* nothing before TLS, no MAIL before AUTH (RFC 6409) */
};

/* Shared by all connections of a port; must outlive them, as must the host name. */
struct smtp_server_params {
	enum smtp_server_mode mode;
	struct slice host_name; /* 1-255 bytes: in the greeting and in the reply to EHLO */
	bool tls_offered;       /* STARTTLS can be done; a submission port needs TLS somehow */
	bool clear_auth;        /* of a submission port on loopback: AUTH may come before TLS */
	u64 size_max;           /* content of one message in bytes, dots unstuffed; at least 1 */
	u32 recipients_max;     /* of one message; 100 or more (RFC 5321 section 4.5.3.1.8) */
	u32 messages_max;       /* MAILs of one connection; at least 1 */
	u32 errors_max;         /* 5yz replies since the last accepted message; at least 1 */
	u32 idle_max;           /* commands since then that were no part of a message */
	u32 auth_failures_max;  /* at least 1 */
	/* Milliseconds: */
	u32 pause_ms;           /* before the greeting; who speaks in it is sent away; 0: none */
	u32 command_ms;         /* for a whole command, and for something of content */
	u32 message_ms;         /* from MAIL to the end of content, however steadily it comes */
	u32 tls_ms;
	u32 close_ms;           /* for the last reply to go */
};
/* As RFC 5321 section 4.5.3 wants it, 50 MiB; host_name and tls_offered are the caller's to add. */
extern const struct smtp_server_params smtp_server_usual;

enum smtp_server_event_type {
	/* EHLO or HELO: `text` is the name said. A transaction that was open is over. */
	SMTP_SERVER_HELLO,
	SMTP_SERVER_MAIL,    /* asks: `mail`. Accepted, a transaction is open. */
	SMTP_SERVER_RCPT,    /* asks: `rcpt` */
	SMTP_SERVER_CONTENT, /* `text` is the next part of the content; parts may be cut anywhere */
	/* asks: that was all of the content, `size` bytes. Accept only what is durable (RFC 5321
	   section 6.1). Whatever the answer, the transaction is over. */
	SMTP_SERVER_END,
	SMTP_SERVER_RESET,   /* a transaction that was open is over, its content is nothing */
	SMTP_SERVER_AUTH,    /* asks: `credentials` */
	/* Our 220 to STARTTLS is gone: hand the connection to TLS, beginning with what
	   smtp_server_take_unread has, then call smtp_server_tls_started or tls_failed. A
	   transaction that was open is over. */
	SMTP_SERVER_START_TLS,
	/* Everything is said: close the connection. An open transaction is over. */
	SMTP_SERVER_CLOSE,
};

enum smtp_server_why {
	SMTP_SERVER_WHY_QUIT,
	SMTP_SERVER_WHY_CLOSED,   /* by the peer, or broken */
	SMTP_SERVER_WHY_TIMEOUT,
	SMTP_SERVER_WHY_EARLY,    /* the peer spoke when it had to listen */
	SMTP_SERVER_WHY_BARE,     /* CR or LF alone: its lines are not ours */
	SMTP_SERVER_WHY_ERRORS,   /* too many, or too many idle commands, messages, bad passwords */
	SMTP_SERVER_WHY_PROTOCOL, /* no SMTP, or nothing that one can go on after */
	SMTP_SERVER_WHY_TLS,      /* no handshake, or bytes behind STARTTLS */
	SMTP_SERVER_WHY_CALLER,   /* smtp_server_leave, or a 421 of the caller's */
};
const char *smtp_server_why_name(enum smtp_server_why why);

struct smtp_credentials {
	struct slice authorize; /* whose rights are asked for; empty: those of `name` */
	struct slice name;
	struct slice password;  /* 1-255 bytes each, valid UTF-8, no NUL; wiped when answered */
};

/* Slices are valid until the next call on the server. */
struct smtp_server_event {
	enum smtp_server_event_type type;
	enum smtp_server_why why;
	bool esmtp; /* of HELLO: it was EHLO */
	struct slice text;
	u64 size;
	struct smtp_mail mail;
	struct smtp_rcpt rcpt;
	struct smtp_credentials credentials;
};

/* Members are the server's own, except tls_active and authenticated, which may be read. */
struct smtp_server {
	const struct smtp_server_params *params;
	bool tls_active;
	bool authenticated;
	u8 state;          /* enum server_state */
	u8 asked;          /* enum smtp_server_event_type of what waits for its answer */
	bool esmtp;        /* EHLO was said */
	bool hello;        /* EHLO or HELO was said */
	bool leaving;      /* 421 as soon as no message and no question is under way */
	bool lockstep;     /* the peer has to listen until all that was said is given out */
	u8 overlong;       /* how often the line buffer was full of the line that comes */
	bool mail_open;
	bool mail_refused; /* commands of that transaction follow in the pipeline, without guilt */
	bool mail_utf8;
	bool rcpt_tried;
	bool chunked;      /* a BDAT was said in this transaction */
	bool chunk_last;
	bool dropped;      /* the caller was told that this transaction is over */
	u8 spoiled;        /* why the content is not taken: enum content_fault, or'ed */
	u8 text_state;     /* enum text_state: where in a line of content */
	u8 auth_step;      /* enum auth_step */
	u8 auth_failures;
	u8 why;
	u16 line_start;    /* AUTH LOGIN keeps the name in front of it */
	u16 line_end;      /* what came of the line is in line[line_start..line_end) */
	u16 out_start;     /* out[out_start..out_end): said, not told as sent */
	u16 out_given;     /* up to here given out by output */
	u16 out_end;
	u32 recipients;    /* accepted; behind a refused MAIL: commands that were let pass */
	u32 messages;
	u32 errors;
	u32 idle;
	u64 content_size;
	u64 chunk_left;    /* bytes of the BDAT chunk that are still to come */
	u64 now_ns;
	u64 deadline_ns;
	u64 message_ends_ns;
	struct slice unread;
	char line[SMTP_SERVER_LINE_MAX];
	char out[SMTP_SERVER_OUT_SIZE];
};

void smtp_server_init(struct smtp_server *server, const struct smtp_server_params *params);
/* tls_active: the connection is through TLS from its first byte on (RFC 8314 section 3). */
void smtp_server_start(struct smtp_server *server, bool tls_active, u64 now_ns);

/* Nothing may be unread: what was is taken, and stands in front of these bytes. */
void smtp_server_receive(struct smtp_server *server, struct slice bytes, u64 now_ns);
/*
 * What was received and is not read yet, since an answer or room for replies lacks, or TLS comes
 * next. The server looks at it as long as it stays there and nobody has taken it.
 */
struct slice smtp_server_take_unread(struct smtp_server *server);
/* Peer closed, or reset, or a send failed. An open question need not be answered any more. */
void smtp_server_closed(struct smtp_server *server, u64 now_ns);
bool smtp_server_next_event(struct smtp_server *server, struct smtp_server_event *event);

/*
 * Answers to MAIL, RCPT, AUTH or END. Without a question (its connection has ended meanwhile)
 * nothing happens. `code` is 4yz or 5yz; 421 closes, too. `text` has the enhanced code (RFC 3463)
 * in front: "5.1.1 unknown"; bytes that may not stand in a reply become '?'.
 */
void smtp_server_accept(struct smtp_server *server, u64 now_ns);
void smtp_server_refuse(struct smtp_server *server, u32 code, struct slice text, u64 now_ns);

void smtp_server_tls_started(struct smtp_server *server, u64 now_ns);
void smtp_server_tls_failed(struct smtp_server *server, u64 now_ns);

/* Says 421 and closes, behind the message that is being received or answered. */
void smtp_server_leave(struct smtp_server *server, u64 now_ns);

/* What to send now; stays valid until smtp_server_sent. At most one output is under way. */
struct slice smtp_server_output(struct smtp_server *server);
void smtp_server_sent(struct smtp_server *server, size_t bytes, u64 now_ns); /* 0 to all of it */

/* Monotonic time of the next timeout; UINT64_MAX: none runs, the next step is the caller's. */
u64 smtp_server_deadline(const struct smtp_server *server);
void smtp_server_tick(struct smtp_server *server, u64 now_ns); /* at or after the deadline */

#endif
