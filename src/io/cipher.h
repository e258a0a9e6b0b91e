/*
 * Ciphertext on its way out: what TLS makes gathers in one block while another is being sent. Large
 * blocks belong to all connections of a thread by turns, so that memory follows what is under way
 * and not how many connections there are, and so that the processor's caches know them.
 */
#ifndef IO_CIPHER_H
#define IO_CIPHER_H

#include "base/buf.h"
#include "base/types.h"

/* 64 KiB of plaintext in four records, with their headers, nonces and tags. */
#define CIPHER_BLOCK (66u * 1024)

struct cipher_pool {
	void *free; /* blocks of CIPHER_BLOCK bytes; the first word of each leads to the next */
	u32 count;
};
void cipher_pool_done(struct cipher_pool *pool); /* no cipher of it may be in use */

struct cipher {
	struct cipher_pool *pool;
	struct buf ready; /* grows */
	struct buf going; /* stands still, until all of it has gone */
	size_t gone;
};

void cipher_init(struct cipher *cipher, struct cipher_pool *pool);
void cipher_done(struct cipher *cipher);

/* False: no memory, or more waits than a peer that reads may cause; nothing can go any more. */
bool cipher_add(struct cipher *cipher, const void *bytes, size_t len) MUST_CHECK;
bool cipher_has_failed(const struct cipher *cipher);

/* What is to be sent now; it stays where it is until cipher_sent. Empty: nothing. */
struct slice cipher_next(struct cipher *cipher);
void cipher_sent(struct cipher *cipher, size_t len); /* of what cipher_next said */

#endif
