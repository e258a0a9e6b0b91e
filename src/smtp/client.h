/*
 * SMTP client (RFC 5321, 1870, 2034, 2920, 3030, 3207, 6152, 6531), sans-I/O: bytes and a clock in,
 * bytes and events out. One struct per connection, no allocation. The caller owns the connection:
 *
 *   connected      smtp_client_start
 *   bytes came     smtp_client_receive
 *   may write      smtp_client_output -> send -> smtp_client_sent, until output returns no bytes
 *   time passed    smtp_client_deadline / smtp_client_tick
 *   peer closed    smtp_client_closed
 *
 * After receive, sent, give, quit, tick, closed and tls_failed the caller takes events by
 * smtp_client_next_event until it returns false. Nothing calls back. A table of steps (command,
 * timeout, needed capability, write, reply handler) with a send cursor and a receive cursor is the
 * whole machine; pipelining is the send cursor running ahead. See README.md.
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

/* How long is waited, and for what. */
enum smtp_timeout {
	SMTP_TIMEOUT_NONE,     /* nothing is waited for */
	SMTP_TIMEOUT_GREETING,
	SMTP_TIMEOUT_EHLO,     /* reply to EHLO, HELO or STARTTLS */
	SMTP_TIMEOUT_TLS,      /* the whole handshake */
	SMTP_TIMEOUT_MAIL,
	SMTP_TIMEOUT_RCPT,
	SMTP_TIMEOUT_DATA,     /* reply to DATA */
	SMTP_TIMEOUT_BLOCK,    /* until the host takes the next bytes of content */
	SMTP_TIMEOUT_DOT,      /* reply to the whole message */
	SMTP_TIMEOUT_RSET,
	SMTP_TIMEOUT_QUIT,
	SMTP_TIMEOUT_MESSAGE,  /* one message from MAIL to its reply, however steadily it goes on */
	SMTP_TIMEOUT_COUNT,
};

struct smtp_timeouts {
	u32 ms[SMTP_TIMEOUT_COUNT]; /* [SMTP_TIMEOUT_NONE] is 0, the others are not */
};
/* RFC 5321 section 4.5.3.2 where it has a number. */
extern const struct smtp_timeouts smtp_timeouts_usual;

enum smtp_tls_policy { SMTP_TLS_NEVER, SMTP_TLS_OPPORTUNISTIC, SMTP_TLS_REQUIRED };

struct smtp_client_params {
	struct slice ehlo_name;   /* must outlive the client */
	enum smtp_tls_policy tls;
	u32 depth;                /* 1..SMTP_DEPTH_MAX; 1: no overlap across messages */
	u32 capability_mask;      /* capabilities that may be used when offered; ~0u: all */
	/* Must outlive the client; NULL: smtp_timeouts_usual. */
	const struct smtp_timeouts *timeouts;
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
	/* Not offered: needs 8BITMIME/SMTPUTF8, is over SIZE, or an address cannot be said on the
	   wire; the reply is made up. */
	SMTP_VERDICT_LOCAL,
	/* The connection ended before the message's last byte was given out (or the host lost count
	   of commands before that): no attempt, may go at once over another connection. */
	SMTP_VERDICT_UNSENT,
	/* The last byte was given out, then the connection ended without a reply. */
	SMTP_VERDICT_IN_DOUBT,
};

struct smtp_recipient {
	struct slice address; /* wire form, without angle brackets; no controls, SP, <, > */
	enum smtp_verdict verdict;
	void *user;
};

/*
 * Owned by the caller, who keeps it (and all it points to) until its DONE event. Only the content
 * may go earlier: once `ended` and told as sent in full, the pieces are not read any more.
 */
struct smtp_transaction {
	struct slice sender; /* wire form; empty: null reverse-path */
	struct smtp_recipient *recipients;
	u32 recipient_count;
	const struct piece *pieces;
	u32 piece_count;
	u64 size;          /* bytes of all pieces that are not stuffing; they end with CRLF */
	bool eightbit;     /* has octets over 127 */
	bool utf8_headers; /* needs SMTPUTF8 (or an address does) */
	bool raw_dots;     /* RCPT without quotes around odd dots: see smtp_command */
	void *user;
	/*
	 * Its last byte is in an output that was given out. Falls back to false when that output
	 * was told as sent only in part: the byte is then still here.
	 */
	bool ended;
	/* The client's own: */
	bool bdat;         /* content goes behind BDAT, not DATA */
	bool go_given;     /* DATA or BDAT was written */
	bool content_out;  /* content is on its way: given out or about to be, not told as sent */
	bool dot_only;     /* nobody is left to take the message: only the dot goes behind 354 */
	bool mail_refused;
	bool clear_refused;  /* RSET: the host may still have the transaction before this open */
	bool sequence_doubt; /* ... and indeed refused MAIL by 503 */
	bool needs_utf8;   /* SMTPUTF8 goes with MAIL */
	bool local_untold; /* LOCAL recipients wait for their events */
	u8 local_reason;
	u8 send_step;      /* what goes next */
	u8 receive_step;   /* whose reply comes next */
	u16 lead;          /* command bytes in front of the content, not told as sent */
	u64 ends_ns;       /* of SMTP_TIMEOUT_MESSAGE; 0: it was not this message's turn yet */
	u32 local_at;
	u32 rcpt_sent;     /* index behind the last recipient given out */
	u32 rcpt_answered;
	u32 rcpt_accepted;
	u32 piece_at;      /* content told as sent: piece and offset in it */
	u32 piece_offset;
};

enum smtp_event_type {
	/* Dialogue open (TLS up if it was to be): transactions may be given. */
	SMTP_EVENT_READY,
	/* 220 to STARTTLS, nothing behind it: hand the connection to TLS, then call
	   smtp_client_tls_started; no output comes before that. */
	SMTP_EVENT_START_TLS,
	/* Verdict on one recipient is final: transaction, index, reply. */
	SMTP_EVENT_RECIPIENT,
	/* Every recipient had its event; the transaction is the caller's again. When the connection
	   breaks off with an output still under way, its bytes are to be kept until the send has
	   ended (was cancelled), as is usual with io_uring. */
	SMTP_EVENT_DONE,
	/* The connection is over: close it. `failure` says why. */
	SMTP_EVENT_CLOSE,
};

enum smtp_failure {
	SMTP_FAILURE_NONE,     /* after QUIT, or closed (also by 421) when idle: no harm */
	SMTP_FAILURE_CLOSED,   /* peer closed or reset */
	SMTP_FAILURE_REPLY,    /* refused: greeting, EHLO/HELO, 421, required STARTTLS not given */
	SMTP_FAILURE_PROTOCOL, /* nonsense, reply without a command, bytes behind STARTTLS's 220 */
	SMTP_FAILURE_TIMEOUT,
	SMTP_FAILURE_TLS,      /* handshake failed (told by the caller) */
};

struct smtp_event {
	enum smtp_event_type type;
	struct smtp_transaction *transaction;
	u32 recipient;
	enum smtp_stage stage;
	enum smtp_failure failure; /* of CLOSE, and of a RECIPIENT that it decided; else NONE */
	const struct smtp_reply *reply; /* valid until the next call on the client; may be NULL */
};

/* A run of recipients of one transaction that get a verdict, one event at a time. */
struct smtp_ruling {
	struct smtp_transaction *transaction; /* NULL: none under way */
	u32 next;
	u32 end;
	u8 verdict;
	u8 stage;
	bool by_reply;
};

/*
 * Members are the client's own, except capabilities, size_limit and tls_active, which may be read
 * after READY.
 */
struct smtp_client {
	struct smtp_client_params params;
	u64 size_limit; /* of the SIZE capability; 0: none stated */
	u32 capabilities;
	bool tls_active;
	bool quitting;
	u8 step;       /* of the session; transactions have their own steps while it is OPEN */
	bool to_write; /* the session step's command is not given out yet */
	u8 announce;   /* events READY or START_TLS to come */
	u8 cautious;   /* a recipient was refused lately: so many BDATs wait for the RCPT replies */
	u8 failure;
	u8 failure_stage;
	bool failure_by_reply;
	bool close_told;
	u8 blame_verdict;
	u8 queue_count;
	u16 out_start; /* out[out_start..out_end): command text not told as sent */
	u16 out_end;
	u16 tail;      /* bytes of it behind the last content on its way */
	size_t under_way; /* bytes of the output that was given out and not told as sent */
	u64 now_ns;
	u64 deadline_ns;
	struct slice input;              /* the caller's, until next_event returns false */
	struct smtp_transaction *blamed; /* whose command the last reply (421) answered */
	struct smtp_ruling ruling;
	struct smtp_transaction *queue[SMTP_DEPTH_MAX]; /* oldest first */
	struct smtp_reply_parser parser;
	char out[SMTP_OUT_SIZE];
};

/* params->ehlo_name: a host name or address literal, 1-384 bytes, fit for the wire. */
void smtp_client_init(struct smtp_client *client, const struct smtp_client_params *params);
/* Connected: the greeting is waited for. */
void smtp_client_start(struct smtp_client *client, u64 now_ns);

/*
 * Takes all of the input (errors become events). Replies are read one by one while events are
 * taken, so that each event can show its own reply: the input must stay where it is until
 * next_event returns false, and only then comes the next receive, closed or tick.
 */
void smtp_client_receive(struct smtp_client *client, struct slice input, u64 now_ns);
/* Peer closed (or reset, or a send failed): in-flight recipients get UNSENT or IN_DOUBT. */
void smtp_client_closed(struct smtp_client *client, u64 now_ns);
bool smtp_client_next_event(struct smtp_client *client, struct smtp_event *event);

/* EHLO goes again, capabilities are forgotten. */
void smtp_client_tls_started(struct smtp_client *client, u64 now_ns);
void smtp_client_tls_failed(struct smtp_client *client, u64 now_ns);

/*
 * True when another transaction may be given now: open, not quitting, and fewer than params.depth
 * in flight (none where the host has no PIPELINING: waiting behind another would gain nothing).
 */
bool smtp_client_may_give(const struct smtp_client *client);
/* One that cannot go (SIZE, 8BITMIME, SMTPUTF8, sender) ends at once by LOCAL events. */
void smtp_client_give(struct smtp_client *client, struct smtp_transaction *transaction, u64 now_ns);
/* No more transactions: QUIT once those in flight are done. */
void smtp_client_quit(struct smtp_client *client, u64 now_ns);
bool smtp_client_is_idle(const struct smtp_client *client); /* READY and nothing in flight */

struct smtp_output {
	struct iovec *iov; /* the caller's array, filled */
	u32 iov_max;       /* at least 1 */
	u32 iov_count;
	size_t bytes;
	/*
	 * Transactions whose last byte is in this output: note them in the journal before sending.
	 * One may come again, when an earlier output was sent in part.
	 */
	struct smtp_transaction *ending[SMTP_DEPTH_MAX];
	u32 ending_count;
};
/*
 * What to send now; false: nothing. The bytes stay valid until smtp_client_sent (a short send is
 * told as such, output is then called again). At most one output is under way at a time.
 */
bool smtp_client_output(struct smtp_client *client, struct smtp_output *output);
/* Of the output under way, so many bytes are gone (from 0 to all); it is no longer under way. */
void smtp_client_sent(struct smtp_client *client, size_t bytes, u64 now_ns);

/*
 * Monotonic time of the next timeout; UINT64_MAX: none is running. Part of a reply does not put it
 * off. Content that is taken does, until SMTP_TIMEOUT_MESSAGE is over: that one counts from the
 * moment when a message is the oldest without its reply.
 */
u64 smtp_client_deadline(const struct smtp_client *client);
void smtp_client_tick(struct smtp_client *client, u64 now_ns); /* at or after the deadline */

#endif
