/*
 * One TCP connection on a ring: dial, send, receive, close; with or without TLS behind the same
 * face. The owner embeds the struct and gives a table of events. Events come from ring_turn only.
 * After conn_close the owner keeps the memory until `closed`.
 */
#ifndef IO_CONN_H
#define IO_CONN_H

#include "base/types.h"
#include "io/ring.h"
#include "io/tls.h"

struct conn;

struct conn_events {
	void (*connected)(struct conn *conn, i32 result); /* 0, or a negative errno */
	void (*bytes)(struct conn *conn, struct slice bytes);
	/*
	 * `result` > 0: so many bytes of what conn_send was given are gone; negative: an errno, and
	 * conn_took_nothing says whether that is all there is to it; with TLS the connection is
	 * over then, without `ended`. 0: TLS had bytes of its own under way (the end of the
	 * handshake), and conn_may_send again.
	 */
	void (*sent)(struct conn *conn, i32 result);
	void (*tls_ended)(struct conn *conn,
			  bool ok); /* the handshake; on failure conn_why says why */
	/* The peer closed (0) or the connection broke (negative errno). No more bytes. */
	void (*ended)(struct conn *conn, i32 result);
	void (*closed)(
		struct conn *conn); /* nothing is in flight any more; the memory is the owner's */
};

/* Who encrypts what is sent. */
enum conn_kernel {
	CONN_KERNEL_UNASKED,
	CONN_KERNEL_ENABLING, /* the socket is given its protocol */
	CONN_KERNEL_KEYING,   /* ... and its keys */
	CONN_KERNEL_ON,
	/* Not the kernel, since: */
	CONN_KERNEL_MISSING, /* it has no TLS, or is older than 6.7 */
	CONN_KERNEL_VERSION, /* TLS 1.2 */
	CONN_KERNEL_CIPHER,
	CONN_KERNEL_KEYS,    /* the peer had them changed before */
	CONN_KERNEL_REFUSED, /* it took not to these keys, or to this socket */
};

struct conn {
	const struct conn_events *events;
	struct ring *ring;
	struct tls *tls;
	struct ring_op connect;
	struct ring_op send;
	struct ring_op late; /* what must wait for the next turn */
	struct ring_op option; /* of CONN_KERNEL_ENABLING and _KEYING */
	struct ring_receive receive;
	struct msghdr message;
	struct iovec cipher_iov;
	i32 handle;
	u32 plain_bytes;  /* of the owner's send through TLS of which it was not told yet; or 0 */
	u8 tls_state;
	u8 kernel;        /* enum conn_kernel */
	bool mute;        /* nothing more may be sent: conn_is_mute */
	bool connecting;
	bool sending;
	bool receiving;
	bool paused;
	bool closing;
	bool late_pending;
	bool has_ended;
	bool flushing;    /* the send under way is the TLS layer's own, not the owner's */
	bool moved;       /* something of the owner's send has gone */
};

void conn_init(struct conn *conn, struct ring *ring, const struct conn_events *events);

/*
 * `from` NULL: the kernel chooses. Returns 0 or a negative errno (then there is nothing to close).
 */
i32 conn_dial(struct conn *conn, const struct net_address *to,
	      const struct net_address *from) MUST_CHECK;
/* Takes over an accepted handle; receiving starts at once. */
void conn_adopt(struct conn *conn, i32 handle);

/*
 * Until conn_resume nothing more is received; what is under way already still comes as `bytes`. Nor
 * is the end of the connection noticed meanwhile, unless a send finds it.
 */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/*
 * Sends; one at a time (conn_may_send). Plaintext connections read the iovecs until `sent`; with
 * TLS at most 64 KiB are taken per call and `sent` tells how many, unless the kernel encrypts: then
 * it is as in plaintext.
 */
bool conn_may_send(const struct conn *conn);
void conn_send(struct conn *conn, struct iovec *iov, u32 count);

/*
 * Ends the send under way soon, with `sent` as always; with TLS only the end of the connection may
 * follow. Nothing happens when none is under way.
 */
void conn_stop_sending(struct conn *conn);
/*
 * Inside `sent` with an error: the peer cannot have got any of what conn_send was given. False: it
 * may have got a part.
 */
bool conn_took_nothing(const struct conn *conn);

/* Everything sent must be gone (`sent`). Ends with tls_ended. False: no memory. */
bool conn_start_tls(struct conn *conn, struct tls_context *context,
		    const struct tls_peer *peer) MUST_CHECK;
/*
 * The same as the server's side of an accepted connection. `early` is what of the handshake came as
 * `bytes` before; it is read during the call.
 */
bool conn_accept_tls(struct conn *conn, struct tls_context *context,
		     struct slice early) MUST_CHECK;
/*
 * From now on the kernel is to encrypt what is sent (kTLS), from where it is: for large sends, once
 * in a connection's life, when TLS is on and conn_may_send. True: that is being tried, and nothing
 * can be sent until `sent` tells 0. False: it cannot be. conn_kernel says what came of it; where
 * the kernel does not, all goes on as before.
 */
bool conn_encrypt_in_kernel(struct conn *conn);
enum conn_kernel conn_kernel(const struct conn *conn);
/*
 * The peer wants other keys, which the kernel cannot change: replies still come, but nothing more
 * can be sent here.
 */
bool conn_is_mute(const struct conn *conn);
const char *conn_why(const struct conn *conn);

void conn_close(struct conn *conn);

#endif
