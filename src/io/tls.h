/*
 * TLS, sans-I/O over memory: ciphertext in and out, plaintext in and out (TLS 1.2 and 1.3). With
 * base/crypto.c the only place that names OpenSSL. A context belongs to one thread and, as a
 * client's, keeps the sessions of receivers met lately, so that the next handshake with them is a
 * resumption.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/error.h"
#include "base/types.h"

#include <sys/uio.h>

struct tls_context;
struct tls;

struct tls_params {
	u32 sessions_max; /* receivers whose session is kept; the oldest leaves */
};

struct tls_context *tls_context_open(const struct tls_params *params, struct error *error);
/*
 * For the server's side. The PEM text has the certificate, those that lead to its root, and the
 * key. Clients are asked for none; they resume by tickets.
 */
struct tls_context *tls_context_open_server(struct slice pem, struct error *error);
void tls_context_close(struct tls_context *context); /* no tls may be open */

/* What the peer's certificate has to prove. */
enum tls_proof {
	TLS_PROOF_NONE, /* nothing: any certificate is taken and none is judged (RFC 7435) */
	TLS_PROOF_DANE, /* one of the TLSA records matches (RFC 7672 section 3) */
	TLS_PROOF_PKIX, /* that it is for the name, by a chain to a root that the system trusts */
};

struct tls_tlsa { /* as in RFC 6698 section 2.1 */
	u8 usage;
	u8 selector;
	u8 matching;
	struct slice data;
};

/* Everything is borrowed for the call. */
struct tls_peer {
	struct slice server_name; /* SNI, and what the certificate is for; an address: no SNI */
	/*
	 * Names the receiver for resumption; empty: none. A resumed session shows no certificate:
	 * peers of one key must demand the same proof.
	 */
	struct slice session_key;
	enum tls_proof proof;
	bool proof_is_wish; /* without it tls_is_proven is false, and the handshake goes on */
	struct slice other_name; /* good in the certificate as well; empty: none */
	const struct tls_tlsa *records; /* of DANE; those that OpenSSL cannot use do not count */
	u32 record_count;
};

/* A client side. NULL when there is no memory. */
struct tls *tls_open(struct tls_context *context, const struct tls_peer *peer);
/* A server's side, of a server's context. NULL when there is no memory. */
struct tls *tls_accept(struct tls_context *context);
void tls_close(struct tls *tls); /* NULL is fine */

enum tls_result {
	TLS_OK,      /* handshake complete; or bytes were read or written */
	TLS_AGAIN,   /* needs more from the peer */
	TLS_ENDED,   /* the peer said close_notify */
	TLS_FAILED,  /* tls_why says why */
};

/*
 * Ciphertext from the peer, to be read where it is: it must stay until tls_handshake and then
 * tls_read have said TLS_AGAIN; then all of it is used. What is unused at the next call is lost.
 */
void tls_feed(struct tls *tls, struct slice ciphertext);
enum tls_result tls_handshake(struct tls *tls) MUST_CHECK;
/* Reads up to `size` bytes of plaintext. */
enum tls_result tls_read(struct tls *tls, char *to, size_t size, size_t *got) MUST_CHECK;
/*
 * Encrypts the pieces up to `max` bytes, in records as large as may be. `*taken` says how many
 * (when it failed: too many).
 */
enum tls_result tls_write(struct tls *tls, const struct iovec *pieces, u32 count, size_t max,
			  size_t *taken) MUST_CHECK;
/*
 * Ciphertext that is to be sent now; it stays where it is until tls_sent said that all of it has
 * gone. Empty: none; or memory lacked, which tls_cannot_send tells.
 */
struct slice tls_output(struct tls *tls);
void tls_sent(struct tls *tls, size_t len); /* so many bytes of it have gone */
bool tls_cannot_send(const struct tls *tls);

/*
 * Whether the kernel can go on with the encryption of what we send (kTLS), once tls_output is
 * empty; receiving stays here. TLS 1.3 alone: there OpenSSL tells the secret, and a record's nonce
 * is made of its number, so that none is used twice.
 */
enum tls_handover {
	TLS_HANDOVER_READY,
	TLS_HANDOVER_VERSION, /* TLS 1.2 */
	TLS_HANDOVER_CIPHER,  /* not one of AES-GCM and ChaCha20-Poly1305, or no memory */
	TLS_HANDOVER_KEYS,    /* changed since the handshake */
	TLS_HANDOVER_LACKING, /* tls_kernel_lacks */
};
/* *keys: for setsockopt(SOL_TLS, TLS_TX). They stay until tls_handed_over. */
enum tls_handover tls_hand_over(struct tls *tls, struct slice *keys) MUST_CHECK;
/* The kernel has no TLS: connections of this context need not ask again. */
void tls_kernel_lacks(struct tls *tls);
/* All that was kept for it is wiped. If the kernel took it, tls_write is not called any more. */
void tls_handed_over(struct tls *tls);
/*
 * The peer wants our keys changed before anything else is sent (RFC 8446 section 4.6.3). tls_write
 * does that by itself; the kernel cannot.
 */
bool tls_owes_keys(const struct tls *tls);

const char *tls_why(const struct tls *tls);
const char *tls_version(const struct tls *tls); /* "TLSv1.3" */
bool tls_was_resumed(const struct tls *tls);
/*
 * After the handshake, also one that failed: false, when the certificate did not prove what it had
 * to. True where nothing was to be proven.
 */
bool tls_is_proven(const struct tls *tls);

/* What is wrong with a certificate that proves nothing. */
enum tls_flaw {
	TLS_FLAW_NONE,
	TLS_FLAW_EXPIRED,   /* or not valid yet */
	TLS_FLAW_NAME,      /* for another host */
	TLS_FLAW_UNTRUSTED, /* no root, no TLSA record that matches, or anything else */
};
enum tls_flaw tls_flaw(const struct tls *tls);
/* Why the handshake failed or the certificate proved nothing, in words that live as long as we. */
const char *tls_reason(const struct tls *tls);

#endif
