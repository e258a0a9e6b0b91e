/*
 * SMTP client (RFC 5321, 1870, 2034, 2920, 3030, 3207, 6152, 6531), sans-I/O: bytes and a clock in,
 * bytes and events out. One struct per connection, no allocation. The caller owns the connection:
 *
 *   connected      smtp_client_start
 *   bytes came     smtp_client_receive, then smtp_client_next_event until it returns false
 *   may write      smtp_client_output -> send -> smtp_client_sent, until output returns no bytes
 *   time passed    smtp_client_deadline / smtp_client_tick
 *   peer closed    smtp_client_closed, then the events
 *
 * Nothing calls back. A table of steps (command, timeout, reply handler) with a send cursor and a
 * receive cursor is the whole machine; pipelining is the send cursor running ahead.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/piece.h"
#include "base/types.h"
#include "smtp/reply.h"

#include <sys/uio.h>

#define SMTP_DEPTH_MAX 8       /* transactions in flight on one connection */
#define SMTP_RECIPIENTS_MAX 100 /* recipients of one transaction */
#define SMTP_OUT_SIZE 1024     /* command text waiting to be sent */

enum smtp_capability {
	SMTP_CAP_PIPELINING = 1 << 0,
	SMTP_CAP_CHUNKING = 1 << 1,
	SMTP_CAP_8BITMIME = 1 << 2,
	SMTP_CAP_SMTPUTF8 = 1 << 3,
	SMTP_CAP_STARTTLS = 1 << 4,
	SMTP_CAP_SIZE = 1 << 5,
	SMTP_CAP_ENHANCED = 1 << 6,
	SMTP_CAP_DSN = 1 << 7,
	SMTP_CAP_ESMTP = 1 << 8, /* EHLO was accepted */
};

enum smtp_tls_policy { SMTP_TLS_NEVER, SMTP_TLS_OPPORTUNISTIC, SMTP_TLS_REQUIRED };

struct smtp_client_params {
	struct slice ehlo_name;   /* must outlive the client */
	enum smtp_tls_policy tls;
	u32 depth;                /* 1..SMTP_DEPTH_MAX; 1: no overlap across messages */
	u32 capability_mask;      /* capabilities that may be used when offered; ~0u: all */
};

/* Where in the dialogue something happened. */
enum smtp_stage {
	SMTP_STAGE_GREETING,
	SMTP_STAGE_EHLO,
	SMTP_STAGE_HELO,
	SMTP_STAGE_STARTTLS,
	SMTP_STAGE_TLS,
	SMTP_STAGE_MAIL,
	SMTP_STAGE_RCPT,
	SMTP_STAGE_DATA,
	SMTP_STAGE_BODY,
	SMTP_STAGE_DOT, /* behind the last byte of a message, before its reply */
	SMTP_STAGE_RSET,
	SMTP_STAGE_IDLE,
	SMTP_STAGE_QUIT,
};
const char *smtp_stage_name(enum smtp_stage stage);

/* What became of one recipient of a transaction. */
enum smtp_verdict {
	SMTP_VERDICT_NONE,      /* not decided yet */
	SMTP_VERDICT_ACCEPTED,  /* 2yz to RCPT and to the message */
	SMTP_VERDICT_TEMPORARY, /* 4yz (also 421) to MAIL, RCPT, DATA or the message */
	SMTP_VERDICT_PERMANENT, /* 5yz likewise */
	SMTP_VERDICT_LOCAL,     /* not offered: needs 8BITMIME/SMTPUTF8 or is over SIZE; reply is made up */
	SMTP_VERDICT_UNSENT,    /* the connection ended before the message's last byte was given out:
				   no attempt, may go at once over another connection */
	SMTP_VERDICT_IN_DOUBT,  /* last byte was given out, then the connection ended without a reply */
};

struct smtp_recipient {
	struct slice address; /* wire form of the mailbox, without angle brackets; no CR, LF, NUL, SP, <, > */
	enum smtp_verdict verdict;
	void *user;
};

/* Owned by the caller, who keeps it (and all it points to) until its DONE event. */
struct smtp_transaction {
	struct slice sender; /* wire form; empty: null reverse-path */
	struct smtp_recipient *recipients;
	u32 recipient_count;
	const struct piece *pieces;
	u32 piece_count;
	u64 size;          /* bytes of all pieces that are not stuffing; ends with CRLF */
	bool eightbit;     /* has octets over 127 */
	bool utf8_headers; /* needs SMTPUTF8 (or an address does) */
	void *user;
	/* The client's own: */
	u32 rcpt_sent;
	u32 rcpt_answered;
	u32 rcpt_accepted;
	u32 piece_at;
	u32 piece_offset;
	bool ended; /* its last byte was given out by smtp_client_output */
	u8 phase;
};

enum smtp_event_type {
	SMTP_EVENT_READY,     /* dialogue open (TLS up if it was to be): transactions may be given */
	SMTP_EVENT_START_TLS, /* 220 to STARTTLS, nothing behind it: hand the connection to TLS, then
				 smtp_client_tls_started; no output comes before that */
	SMTP_EVENT_RECIPIENT, /* verdict on one recipient is final: transaction, index, reply */
	SMTP_EVENT_DONE,      /* every recipient had its event; the transaction is the caller's again */
	SMTP_EVENT_CLOSE,     /* the connection is over: close it. `failure` says why */
};

enum smtp_failure {
	SMTP_FAILURE_NONE,       /* after QUIT, or closed when idle */
	SMTP_FAILURE_CLOSED,     /* peer closed or reset */
	SMTP_FAILURE_REPLY,      /* refused: greeting, EHLO/HELO, 421, required STARTTLS not given */
	SMTP_FAILURE_PROTOCOL,   /* nonsense, reply without a command, bytes behind 220 to STARTTLS */
	SMTP_FAILURE_TIMEOUT,
	SMTP_FAILURE_TLS,        /* handshake failed (told by the caller) */
};

struct smtp_event {
	enum smtp_event_type type;
	struct smtp_transaction *transaction;
	u32 recipient;
	enum smtp_stage stage;
	enum smtp_failure failure;
	const struct smtp_reply *reply; /* valid until the next call on the client; may be NULL */
};

struct smtp_client {
	struct smtp_client_params params;
	struct smtp_reply_parser parser;
	struct smtp_reply last_refusal;
	u64 deadline_ns;
	u64 size_limit; /* of the SIZE capability; 0: none stated */
	u32 capabilities;
	u32 sent_in_out;
	u32 out_len;
	u8 state;
	u8 failure;
	u8 failure_stage;
	u8 queue_first; /* oldest transaction in flight */
	u8 queue_count;
	u8 send_at;     /* transaction that the send cursor stands in, counted from queue_first */
	bool tls_active;
	bool tls_tried;
	bool quitting;
	bool cautious; /* a recipient was refused lately: wait for RCPT's reply before the body */
	struct smtp_transaction *queue[SMTP_DEPTH_MAX];
	char out[SMTP_OUT_SIZE];
	/* further members are the client's own */
	u8 own[256];
};

/*
 * The declaration above fixes the outside; the struct's members are private to client.c except
 * capabilities, size_limit and tls_active, which may be read after READY.
 */
void smtp_client_init(struct smtp_client *client, const struct smtp_client_params *params);
void smtp_client_start(struct smtp_client *client, u64 now_ns); /* connected: waits for the greeting */

/* Uses all of the input (errors become events). */
void smtp_client_receive(struct smtp_client *client, struct slice input, u64 now_ns);
/* Peer closed (or reset, or a send failed): in-flight recipients get UNSENT or IN_DOUBT. */
void smtp_client_closed(struct smtp_client *client, u64 now_ns);
bool smtp_client_next_event(struct smtp_client *client, struct smtp_event *event);

void smtp_client_tls_started(struct smtp_client *client, u64 now_ns); /* EHLO again, caps forgotten */
void smtp_client_tls_failed(struct smtp_client *client, u64 now_ns);

/* True when another transaction may be given now. */
bool smtp_client_may_give(const struct smtp_client *client);
/* A transaction that cannot go (SIZE, 8BITMIME, SMTPUTF8) ends at once by LOCAL events. */
void smtp_client_give(struct smtp_client *client, struct smtp_transaction *transaction, u64 now_ns);
/* No more transactions: QUIT once those in flight are done. */
void smtp_client_quit(struct smtp_client *client, u64 now_ns);
bool smtp_client_is_idle(const struct smtp_client *client); /* READY and nothing in flight */

struct smtp_output {
	struct iovec *iov; /* the caller's array, filled */
	u32 iov_max;
	u32 iov_count;
	size_t bytes;
	/* Transactions whose last byte is in this output: note them in the journal before sending. */
	struct smtp_transaction *ending[SMTP_DEPTH_MAX];
	u32 ending_count;
};
/*
 * What to send now; false: nothing. The bytes stay valid until smtp_client_sent has told that all of
 * them are gone (a short send is told as such, output is then called again). At most one output is
 * under way at a time.
 */
bool smtp_client_output(struct smtp_client *client, struct smtp_output *output);
void smtp_client_sent(struct smtp_client *client, size_t bytes, u64 now_ns);

/* Monotonic time of the next timeout (RFC 5321 section 4.5.3.2), UINT64_MAX when none is running. */
u64 smtp_client_deadline(const struct smtp_client *client);
void smtp_client_tick(struct smtp_client *client, u64 now_ns); /* at or after the deadline */

#endif
