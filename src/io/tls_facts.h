/*
 * What a TLS peer showed of itself, for people: delivery takes any certificate (RFC 7435), and
 * nothing is decided by this.
 */
#ifndef IO_TLS_FACTS_H
#define IO_TLS_FACTS_H

#include "io/tls.h"

struct tls_facts {
	char version[16]; /* "TLSv1.3" */
	char cipher[64];
	bool has_certificate;
	char subject[256];
	char issuer[256];
	char names[512];     /* DNS names, separated by spaces; the last may be cut */
	char not_before[32]; /* "2026-11-25" */
	char not_after[32];
	/* Why a client that judges would refuse it for that name; "" when it would not. */
	char trouble[160];
};

/* After the handshake. `name`: what the certificate should be for. Texts are as the peer sent them:
 * not made harmless. */
void tls_facts_read(const struct tls *tls, const char *name, struct tls_facts *facts);

#endif
