/*
 * Private to io/tls*.c.
 */
#ifndef IO_TLS_PARTS_H
#define IO_TLS_PARTS_H

#include "base/crypto.h"
#include "io/tls.h"

struct ssl_st;
struct ssl_st *tls_ssl(const struct tls *tls); /* OpenSSL's side of it */
enum tls_proof tls_wanted_proof(const struct tls *tls);

/* ---- tls_kernel.c ---- */

#define TLS_KERNEL_KEYS_MAX 56 /* bytes */

/* What the kernel has to know to go on where OpenSSL stops. */
struct tls_sealing {
	u64 records;	/* sealed by `secret` so far: the next one's sequence number */
	bool counts;	/* the handshake is complete: what goes out is sealed by `secret` */
	bool is_data;	/* ... and is the owner's, not OpenSSL's own */
	bool is_spoiled; /* something else went out, or the keys are not the first ones any more */
	u8 secret_size; /* bytes; 0: not known */
	u8 secret[CRYPTO_HASH_MAX]; /* client_application_traffic_secret_0 */
	_Alignas(8) u8 keys[TLS_KERNEL_KEYS_MAX]; /* in the kernel's form: <linux/tls.h> */
};
struct tls_sealing *tls_sealing_of(struct tls *tls);
bool tls_kernel_is_lacking(const struct tls *tls);
struct ssl_ctx_st;
/* Secrets of its handshakes are noted from now on. */
void tls_kernel_watch(struct ssl_ctx_st *context);
/* Ciphertext goes out, whole records of it. */
void tls_sealing_count(struct tls_sealing *sealing, const u8 *records, size_t len);
/*
 * The keys of a suite of TLS 1.3 in the kernel's form, in sealing->keys; returns their size. 0: the
 * kernel does not know it, or no memory.
 */
u32 tls_sealing_derive(struct tls_sealing *sealing, u16 suite) MUST_CHECK;
void tls_sealing_wipe(struct tls_sealing *sealing);

/* ---- tls_proof.c ---- */
struct x509_store_st;
bool tls_proof_init(struct ssl_ctx_st *context) MUST_CHECK; /* false: no memory */
/*
 * Tells OpenSSL whom it talks to and what that has to prove. *proof becomes NONE, when none of the
 * TLSA records can be used (RFC 7672 section 2.2: TLS all the same). False: no memory.
 */
bool tls_proof_demand(struct ssl_st *ssl, const struct tls_peer *peer,
		      enum tls_proof *proof) MUST_CHECK;
/* The roots that the system trusts; without any, nothing is. */
void tls_proof_roots(struct x509_store_st *store);

#endif
