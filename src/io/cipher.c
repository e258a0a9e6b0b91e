#include "io/cipher.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX (256 * 1024)
#define SMALL_MAX 2048 /* what is smaller is no mail: the handshake, a command */
#define KEPT_MAX 64    /* blocks that wait for their next use; as many as are sent in a turn */

void cipher_pool_done(struct cipher_pool *pool)
{
	while (pool->free) {
		void *block = pool->free;

		memcpy(&pool->free, block, sizeof(pool->free));
		free(block);
	}
	pool->count = 0;
}

static void take_block(struct cipher *cipher)
{
	struct cipher_pool *pool = cipher->pool;
	void *block = pool->free;

	if (block) {
		memcpy(&pool->free, block, sizeof(pool->free));
		pool->count--;
	} else {
		block = malloc(CIPHER_BLOCK);
	}
	cipher->ready.ptr = block; /* NULL: the buf tries for itself, and knows how to fail */
	cipher->ready.size = block ? CIPHER_BLOCK : 0;
}

static void give_block(struct cipher *cipher, struct buf *buf)
{
	struct cipher_pool *pool = cipher->pool;

	if (buf->size == CIPHER_BLOCK && pool->count < KEPT_MAX) {
		memcpy(buf->ptr, &pool->free, sizeof(pool->free));
		pool->free = buf->ptr;
		pool->count++;
		buf->ptr = NULL;
	}
	buf_done(buf);
}

void cipher_init(struct cipher *cipher, struct cipher_pool *pool)
{
	*cipher = (struct cipher){ .pool = pool };
	buf_init(&cipher->ready, WAITING_MAX);
	buf_init(&cipher->going, WAITING_MAX);
}

void cipher_done(struct cipher *cipher)
{
	give_block(cipher, &cipher->ready);
	give_block(cipher, &cipher->going);
}

bool cipher_add(struct cipher *cipher, const void *bytes, size_t len)
{
	if (!cipher->ready.ptr && len > SMALL_MAX)
		take_block(cipher);
	buf_add(&cipher->ready, bytes, len);
	return !cipher->ready.failed;
}

bool cipher_has_failed(const struct cipher *cipher)
{
	return cipher->ready.failed;
}

struct slice cipher_next(struct cipher *cipher)
{
	if (cipher->going.len == 0 && cipher->ready.len > 0 && !cipher->ready.failed) {
		struct buf empty = cipher->going;

		cipher->going = cipher->ready;
		cipher->ready = empty;
	}
	return slice_from(buf_slice(&cipher->going), cipher->gone);
}

void cipher_sent(struct cipher *cipher, size_t len)
{
	ASSERT(len <= cipher->going.len - cipher->gone);
	cipher->gone += len;
	if (cipher->gone < cipher->going.len)
		return;
	cipher->gone = 0;
	give_block(cipher, &cipher->going);
}
