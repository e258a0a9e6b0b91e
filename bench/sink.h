/*
 * sink: an SMTP receiver for tests and benches. It takes mail faster than any sender here can
 * give it, judges what it is given, and keeps its own record of what it acknowledged. It shares
 * no code with the product on purpose: a judge must not inherit the mistakes of the judged.
 *
 * One process has one ring, one thread and one `struct sink`; nothing is shared between processes
 * but the counters in `struct sink_shared`, which the parent adds up. Rooms of the program:
 *   sink.c          command line, child processes, totals
 *   sink_options.c  the command line's values
 *   sink_ring.c     sockets: accept, receive, send, delays, close
 *   sink_smtp.c     the protocol: bytes in, replies out
 *   sink_data.c     the message's text: its end, its form, its hash
 *   sink_record.c   ledger and saved messages
 *   sink_provider.c limits and refusals by receiving provider
 *   sink_tls.c      STARTTLS over memory BIOs
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <liburing.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A growing byte string. All memory is malloc's; running out of it ends the process. */
struct sink_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

void sink_buf_add(struct sink_buf *buf, const void *bytes, size_t len);
void sink_buf_add_text(struct sink_buf *buf, const char *text);
void sink_buf_add_number(struct sink_buf *buf, uint64_t number);
/* Removes `len` bytes from the front. */
void sink_buf_drop(struct sink_buf *buf, size_t len);
void sink_buf_free(struct sink_buf *buf);

/* Says why and exits with status 1. `format` is printf's. */
_Noreturn void sink_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct sink_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

#define SINK_PROVIDERS_MAX 64

/* One line of a profile; 0 switches a limit or a chance off. Chances are in [0, 100]. */
struct sink_provider {
	char name[32];
	struct in_addr address;
	unsigned delay_min_ms, delay_max_ms;	/* of every reply */
	unsigned accept_min_ms, accept_max_ms;	/* of the reply to a message */
	uint32_t connections;	/* at once */
	uint32_t messages;	/* in a connection */
	double rate;		/* messages a second; a second's worth may come at once */
	double unknown_percent, refused_percent, greylist_percent, busy_percent;
	uint64_t greylist_ms;
};

struct sink_options {
	struct sink_address *listen;
	unsigned listen_count;
	unsigned processes;
	unsigned delay_min_ms;
	unsigned delay_max_ms;
	bool starttls;
	const char *cert_path;	/* NULL: a certificate is made at start */
	const char *key_path;
	bool no_resumption;
	uint32_t new_keys_after;	/* messages of a connection; 0: never */
	bool no_chunking;
	bool no_pipelining;
	/* Chances in [0, 100]. */
	double reject_percent;
	double defer_percent;
	double vanish_percent;	/* close after the dot without a reply */
	uint32_t max_messages;	/* per connection; 0: no limit */
	const char *save_dir;	/* NULL: nothing is saved */
	uint64_t save_every;
	const char *ledger_path;
	const char *doubt_path;
	bool no_hash;
	double seconds;		/* 0: until a signal */
	double stats_every;	/* seconds; 0: never */
	uint64_t seed;
	bool quiet;
	const char *profile_path;	/* NULL: nobody has limits */
	/* Their listening addresses are the last ones of `listen`, in this order. */
	struct sink_provider providers[SINK_PROVIDERS_MAX];
	unsigned provider_count;
};

/* Fills `options` from the command line; says what is wrong and exits with status 2. */
void sink_options_parse(struct sink_options *options, int argc, char **argv);

/* Counters of one process. Written by that process alone, read by the parent at any time. */
struct sink_stats {
	uint64_t connections;
	uint64_t messages;	/* answered 250 */
	uint64_t recipients;	/* of those messages */
	uint64_t rejected;	/* recipients answered 550, messages answered 554 */
	uint64_t deferred;	/* recipients answered 451 */
	uint64_t turned_away;	/* connections answered 421: too many at once */
	uint64_t throttled;	/* MAIL answered 421: over the rate */
	uint64_t vanished;	/* messages taken in and then dropped without a reply */
	uint64_t bytes;		/* un-stuffed text of messages answered 250 */
	uint64_t malformed;	/* messages with a bare CR or LF, a NUL or a line over 998 bytes */
	uint64_t violations;	/* commands out of order, sent too early or badly formed */
	uint64_t unfinished;	/* connections that ended inside a message's text */
	uint64_t tls_sessions;
	uint64_t tls_resumed;
	uint64_t tls_failed;
	uint64_t first_us;	/* monotonic time of the first and the last 250 after a message */
	uint64_t last_us;
} __attribute__((aligned(128)));

struct sink_shared {
	int64_t open;		/* connections now, all processes */
	int64_t open_max;
	struct sink_stats process[];
};

static inline void sink_count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

enum sink_dot {
	DOT_NONE,
	DOT_SEEN,		/* a dot stands first in its line */
	DOT_CR,			/* ... and a CR behind it */
};

/* What is known of the message that is coming in. */
struct sink_text {
	uint64_t bytes;		/* un-stuffed */
	uint64_t line_len;	/* bytes since the last LF */
	bool prev_cr;
	bool line_start;	/* CRLF or nothing came before */
	bool malformed;
	bool header_done;
	bool hashing;
	bool keep_header;
	enum sink_dot dot;
	struct sink_buf header;
	EVP_MD_CTX *digest;
	int save_fd;		/* -1: this message is not saved */
	uint64_t save_number;
};

enum sink_phase { PHASE_COMMAND, PHASE_DATA, PHASE_CHUNK };

enum sink_closing {
	CLOSING_NO,
	CLOSING_SENT,		/* once all replies are sent */
	CLOSING_DRAIN,		/* ... then our half; theirs is thrown away until it ends */
	CLOSING_NOW,		/* replies that were not sent are dropped */
};

struct sink_due {
	uint64_t at_ms;
	size_t bytes;
};

struct sink;

struct session {
	struct sink *sink;
	uint64_t number;	/* unique in this process */
	uint32_t slot;		/* index in the ring's table of files */
	enum sink_phase phase;
	enum sink_closing closing;

	/* sink_ring.c */
	bool receiving, sending, receive_cancelled, send_cancelled, half_closed, close_sent;
	bool dirty, timed;
	struct sink_buf out;	/* replies, in clear, not yet handed to the kernel */
	size_t ready;		/* bytes of `out` whose time has come */
	struct sink_buf fly;	/* bytes that the kernel is sending */
	size_t fly_done;
	struct sink_due *dues;	/* times of the rest of `out`, a ring */
	unsigned due_first, due_count, due_cap;
	uint64_t busy_until_ms;	/* a provider's server does one thing after the other */
	struct session *next_dirty;
	struct session *next_timed;

	/* sink_smtp.c */
	struct sink_buf line;	/* beginning of a command line that is not yet complete */
	bool helo, in_mail, chunking, chunk_last, chunk_refused, smtputf8;
	uint64_t chunk_left;
	uint32_t messages;	/* answered 250 */
	bool new_keys_wanted;	/* the peer was asked to change its keys */
	uint32_t transactions;
	uint32_t rcpt_count;	/* accepted in this transaction */
	struct sink_buf sender;
	struct sink_buf rcpts;	/* accepted ones, each ends with a NUL */
	struct sink_text text;

	/* sink_provider.c */
	const struct sink_provider *provider;	/* NULL: no limits */
	bool text_refused;	/* this transaction's message will be */

	/* sink_tls.c */
	SSL *ssl;
	size_t plain_left;	/* bytes of `out` that go in clear even though `ssl` is set */
};

/* What a provider's limits count. */
struct sink_moment {
	uint32_t open;
	double tokens;
	double filled_at;	/* monotonic seconds */
};

struct sink_grey;

struct sink {
	const struct sink_options *options;
	struct sink_shared *shared;
	struct sink_stats *stats;
	SSL_CTX *tls;
	EVP_MD *sha256;
	unsigned process;
	uint64_t now_us;	/* monotonic, as of this turn of the ring */
	uint64_t now_epoch_ms;
	uint64_t random;
	uint64_t sessions_made;
	uint64_t texts_begun;
	bool keep_envelope;
	int ledger_fd, doubt_fd;	/* -1: none */
	struct sink_buf ledger, doubt;
	struct sink_buf scratch;
	struct sink_moment moments[SINK_PROVIDERS_MAX];
	struct sink_grey *grey;

	struct io_uring ring;
	bool closes_late;	/* a closed socket is let go of only behind older operations */
	struct io_uring_buf_ring *pool;
	uint8_t *pool_bytes;
	int *listeners;
	int stop_fd;
	bool stopped;
	unsigned table_size;
	bool accept_stalled;
	struct session **table;
	struct session *dirty_first, *dirty_last;
	struct session **starving;	/* receives that ended for want of a buffer */
	unsigned starving_count;
	struct session **wheel;
	uint64_t wheel_ms;
	unsigned timed_count;
};

/* A chance of `percent` in 100. */
bool sink_chance(struct sink *sink, double percent);
uint64_t sink_random(struct sink *sink);

/*
 * sink_provider.c. Each question is answered with NULL (go on) or a refusal; a 421 means that the
 * connection ends. `provider_enter` is asked when a connection comes in on the address with this
 * index, before the greeting; `provider_leave` is told when it is gone. `provider_read_profile` ends
 * the process when the file is not understood.
 */
void provider_read_profile(struct sink_options *options);
const char *provider_enter(struct session *session, unsigned listener);
void provider_leave(struct session *session);
const char *provider_mail(struct session *session);
const char *provider_rcpt(struct session *session, const char *address, size_t len);
const char *provider_text(struct session *session);

/*
 * sink_ring.c. `sink_ring_run` serves the listening sockets (one per address) until the other end
 * of the pipe `stop_fd` is closed; the turn that sees it is completed.
 * `session_reply` queues a reply; it leaves at the end of the turn or after its delay, and never
 * before the ledger lines of the same turn are written. `session_reply_after` is the same with a
 * range for the delay, from the moment when the reply before it leaves. `session_close` starts the end
 * of a session; no input is looked at afterwards.
 */
void sink_ring_run(struct sink *sink);
void session_reply(struct session *session, const void *reply, size_t len);
void session_reply_after(struct session *session, const void *reply, size_t len, unsigned min_ms,
	unsigned max_ms);
void session_close(struct session *session, enum sink_closing how);
/* Something other than a reply waits to be sent (TLS records). */
void session_touch(struct session *session);

/* sink_smtp.c: greeting of a new session, which came in on the address with this index; input in
 * clear, cut anywhere. */
void smtp_greet(struct session *session, unsigned listener);
void smtp_feed(struct session *session, const uint8_t *bytes, size_t len);
/* Forgets the transaction. */
void smtp_reset(struct session *session);

/*
 * sink_data.c: the text of one message.
 * `text_feed_dots` takes text in DATA's form and says how many bytes it used; `*done` is set when
 * the last of them ended the message. `text_feed_chunk` takes BDAT's. `text_end` closes the books:
 * after it `bytes` and `malformed` are final.
 */
void text_begin(struct session *session);
size_t text_feed_dots(struct session *session, const uint8_t *bytes, size_t len, bool *done);
void text_feed_chunk(struct session *session, const uint8_t *bytes, size_t len);
void text_end(struct session *session);
void text_free(struct sink_text *text);

/*
 * sink_record.c. `record_message` queues one ledger line for each accepted recipient of the
 * message (in the doubt ledger when it will get no reply) and completes its saved file;
 * `record_flush` writes the queued lines and must run before any reply of the turn is sent.
 * `record_open` runs before the processes part; it completes a last line that a kill cut short.
 *
 * Line: epoch_ms session seq rcpt message-id sha256; session is pid-process-number, a white space,
 * control or backslash byte in an address or message-id is written \xHH, what is missing `-`.
 */
int record_open(const char *path);
void record_message(struct session *session, bool acknowledged);
void record_flush(struct sink *sink);
void record_save_begin(struct session *session);
void record_save_drop(struct session *session);

/*
 * sink_tls.c. `tls_feed` takes records and hands their text to smtp_feed; false: the session
 * cannot go on. `tls_take` appends records to `records` for `len` bytes of replies plus whatever
 * the handshake has to say.
 */
SSL_CTX *tls_context_make(const struct sink_options *options);
void tls_start(struct session *session);
bool tls_feed(struct session *session, const uint8_t *records, size_t len);
bool tls_take(struct session *session, const uint8_t *text, size_t len,
	struct sink_buf *records);

#endif
