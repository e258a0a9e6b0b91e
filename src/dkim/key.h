/*
 * A DKIM identity: domain (d=), selector (s=), private key. Made on the appliance, read by `send`
 * alone. Immutable after loading; threads share it.
 */
#ifndef DKIM_KEY_H
#define DKIM_KEY_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

struct dkim_key {
	char domain[256];  /* lower case, A-labels */
	char selector[64]; /* one or more labels, RFC 6376 section 3.1 */
	struct crypto_key *private_key;
};

/*
 * Loads a PEM file. Refuses a file that others may read (mode & 077), RSA below 1024 bits and bad
 * domain or selector names; warns about nothing. The error names the file.
 */
bool dkim_key_load(struct dkim_key *key, const char *path, struct slice domain,
		   struct slice selector, struct error *error);
void dkim_key_done(struct dkim_key *key);

/* Makes a key and writes it (mode 0600, never over an existing file, synced). */
bool dkim_key_create(const char *path, enum crypto_algorithm algorithm, u32 bits,
		     struct error *error);

/* "v=DKIM1; k=rsa; p=..." (RFC 6376 section 3.6.1, RFC 8463 section 4). */
bool dkim_key_record(const struct dkim_key *key, struct buf *out);
/* A zone-file line: name, TTL, IN TXT and the record cut into strings of at most 255 bytes. */
bool dkim_key_zone_line(const struct dkim_key *key, struct buf *out);

#endif
