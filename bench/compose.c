/*
 * What composing costs: ns a message and allocations, unsigned work apart from the body hash and
 * the DKIM header (no private-key operation), for bodies that are shared and bodies with fields.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "message/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGES 20000

static u64 allocations;

/* Counts what the allocator is asked for; the linker puts these in front of libc's. */
void *__real_malloc(size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	allocations++;
	return __real_realloc(ptr, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

static void make_body(struct buf *body, size_t size, u32 fields)
{
	u32 done = 0;

	while (body->len < size) {
		if (done < fields && body->len >= size / (fields + 1) * (done + 1)) {
			buf_add_text(body, "Dear {{name}}, ");
			done++;
		}
		buf_add_format(body, "<p>Line %zu of a campaign about nothing in particular.</p>\n",
			       body->len);
	}
}

static void measure(const struct dkim_key *key, size_t size, u32 fields)
{
	static const struct slice columns[] = { SLICE("name") };
	static const struct slice values[] = { SLICE(
		"\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e") };
	const struct dkim_key *keys[] = { key };
	struct message_options options = { .columns = columns,
					   .column_count = 1,
					   .keys = keys,
					   .key_count = 1,
					   .unsubscribe_url =
						   SLICE("https://example.jp/u/{{_token}}") };
	struct message_source source = {
		.name = "bench",
		.headers = SLICE("From: Hikyaku <info@example.jp>\nSubject: News for {{name}}\n"),
	};
	struct address address;
	struct message_recipient recipient = { .address = &address,
					       .values = values,
					       .value_count = 1,
					       .campaign = SLICE("c1"),
					       .date_ms = 1764000000000ull };
	struct message_composed composed;
	struct error error = { 0 };
	struct message *message;
	struct buf body;
	u64 start = 0;
	u64 before = 0;
	char token[32];

	buf_init(&body, 1u << 20);
	make_body(&body, size, fields);
	source.html = buf_slice(&body);
	ASSERT(address_parse(&address, SLICE("taro@example.net"), &error));
	message = message_compile(&source, &options, &error);
	if (!message)
		CRASH("%s", error.text);
	message_composed_init(&composed);
	for (u32 i = 0; i < MESSAGES + 100; i++) {
		if (i == 100) { /* warm by now */
			start = clock_mono_ns();
			before = allocations;
		}
		snprintf(token, sizeof(token), "t%u", i);
		recipient.token = slice_of(token);
		if (message_compose(message, &recipient, false, &composed, &error) != MESSAGE_OK)
			CRASH("%s", error.text);
	}
	start = clock_mono_ns() - start;
	printf("%6zu bytes, %2u fields: %7.0f ns/message, %.3f allocations/message, %2u pieces, "
	       "%6lu bytes hashed, %6lu shared\n",
	       body.len, fields, (double)start / MESSAGES,
	       (double)(allocations - before) / MESSAGES, composed.piece_count,
	       (unsigned long)composed.hashed_bytes, (unsigned long)composed.saved_bytes);
	message_composed_done(&composed);
	message_free(message);
	buf_done(&body);
}

int main(void)
{
	char path[] = "/tmp/hikyaku-compose-XXXXXX";
	struct dkim_key key;
	struct error error = { 0 };
	int fd = mkstemp(path);

	ASSERT(fd >= 0);
	close(fd);
	unlink(path);
	if (!dkim_key_create(path, CRYPTO_RSA, 2048, &error) ||
	    !dkim_key_load(&key, path, SLICE("example.jp"), SLICE("bench"), &error))
		CRASH("%s", error.text);
	unlink(path);
	measure(&key, 8192, 0);
	measure(&key, 8192, 5);
	measure(&key, 51200, 20);
	dkim_key_done(&key);
	return 0;
}
