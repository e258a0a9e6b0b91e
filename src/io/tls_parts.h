/*
 * Private to io/tls*.c.
 */
#ifndef IO_TLS_PARTS_H
#define IO_TLS_PARTS_H

#include "io/tls.h"

struct ssl_st;
struct ssl_st *tls_ssl(const struct tls *tls); /* OpenSSL's side of it */
enum tls_proof tls_wanted_proof(const struct tls *tls);

/* ---- tls_proof.c ---- */
struct ssl_ctx_st;
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
