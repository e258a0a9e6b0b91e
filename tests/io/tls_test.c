/* The TLS client over memory, against OpenSSL's server over memory. */
#include "io/tls_memory.h"

#include "base/fail_alloc.h"

#include <stdlib.h>
#include <string.h>

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
static const char *const version_names[] = { "TLSv1.2", "TLSv1.3" };

static void both_versions_carry_text_both_ways(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		struct tls_context *context = open_context(0);
		SSL_CTX *ctx = tls_server_open(versions[i % 2]);
		struct peer p;
		struct buf text;
		char heard[64] = "";

		open_peer(&p, context, ctx, "");
		p.bytewise = i >= 2;
		assert_int_equal(shake(&p), TLS_OK);
		assert_string_equal(tls_version(p.tls), version_names[i % 2]);
		assert_string_equal(SSL_get_servername(p.server, TLSEXT_NAMETYPE_host_name), "mx.test");
		assert_int_equal(write_text(&p, "EHLO a.test\r\n", 13), TLS_OK);
		to_server(&p);
		assert_int_equal(SSL_read(p.server, heard, sizeof(heard)), 13);
		assert_string_equal(heard, "EHLO a.test\r\n");
		assert_int_equal(SSL_write(p.server, "250 ok\r\n", 8), 8);
		buf_init(&text, 1000);
		assert_int_equal(hear(&p, &text), TLS_AGAIN);
		assert_string_equal(buf_text(&text), "250 ok\r\n");
		buf_done(&text);
		close_peer(&p);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void long_writes_are_taken_whole(void **state)
{
	struct tls_context *context = open_context(0);
	SSL_CTX *ctx = tls_server_open(0);
	static char sent[1 << 20];
	static char heard[1 << 20];
	size_t len = 0;
	size_t got;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	connect_peer(&p, context, ctx, "");
	for (size_t at = 0; at < sizeof(sent); at += 65536) {
		assert_int_equal(write_text(&p, sent + at, min_size(65536, sizeof(sent) - at)), TLS_OK);
		to_server(&p);
	}
	while (SSL_read_ex(p.server, heard + len, sizeof(heard) - len, &got) == 1)
		len += got;
	assert_int_equal(len, sizeof(sent));
	assert_memory_equal(sent, heard, len);
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

/* How many records there are in ciphertext that begins with one: RFC 8446 section 5.1. */
static u32 count_records(struct slice cipher)
{
	u32 count = 0;

	for (size_t at = 0; at + 5 <= cipher.len; count++)
		at += 5 + (size_t)((u8)cipher.ptr[at + 3] << 8 | (u8)cipher.ptr[at + 4]);
	return count;
}

static void small_pieces_share_records_and_no_more_is_taken_than_may_be(void **state)
{
	static const size_t lengths[] = { 0, 1, 60, 300, 8000, 16384, 5, 40000, 16383, 1, 9, 70000 };
	static char sent[160000], heard[65536];
	struct iovec pieces[array_count(lengths)];
	struct tls_context *context = open_context(0);
	SSL_CTX *ctx = tls_server_open(TLS1_3_VERSION);
	size_t taken, got, at = 0, len = 0;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < array_count(lengths); i++, at += lengths[i - 1])
		pieces[i] = (struct iovec){ sent + at, lengths[i] };
	connect_peer(&p, context, ctx, "");

	assert_int_equal(tls_write(p.tls, pieces, 5, 65536, &taken), TLS_OK);
	assert_int_equal(taken, 8361);
	assert_int_equal(count_records(tls_output(p.tls)), 1);
	to_server(&p);
	assert_int_equal(SSL_read_ex(p.server, heard, sizeof(heard), &len), 1);
	assert_int_equal(len, 8361);
	assert_memory_equal(heard, sent, len);

	assert_int_equal(tls_write(p.tls, pieces, array_count(lengths), 65536, &taken), TLS_OK);
	assert_int_equal(taken, 65536);
	assert_int_equal(count_records(tls_output(p.tls)), 4);
	to_server(&p);
	for (len = 0; SSL_read_ex(p.server, heard + len, sizeof(heard) - len, &got) == 1;)
		len += got;
	assert_int_equal(len, 65536);
	assert_memory_equal(heard, sent, len);
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

static bool is_resumed(struct tls_context *context, SSL_CTX *ctx, const char *key)
{
	struct peer p;
	bool resumed;

	connect_peer(&p, context, ctx, key);
	resumed = tls_was_resumed(p.tls);
	assert_int_equal(SSL_session_reused(p.server), resumed);
	close_peer(&p);
	return resumed;
}

static void a_receiver_met_before_is_resumed(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct tls_context *context = open_context(2);
		SSL_CTX *ctx = tls_server_open(versions[i]);

		assert_false(is_resumed(context, ctx, "192.0.2.1:25"));
		assert_true(is_resumed(context, ctx, "192.0.2.1:25"));
		assert_true(is_resumed(context, ctx, "192.0.2.1:25"));
		assert_false(is_resumed(context, ctx, "192.0.2.2:25"));
		/* Without a name there is nothing to remember. */
		assert_false(is_resumed(context, ctx, ""));
		assert_false(is_resumed(context, ctx, ""));
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void the_oldest_session_leaves(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct tls_context *context = open_context(2);
		SSL_CTX *ctx = tls_server_open(versions[i]);

		assert_false(is_resumed(context, ctx, "a"));
		assert_false(is_resumed(context, ctx, "b"));
		assert_false(is_resumed(context, ctx, "c"));
		assert_true(is_resumed(context, ctx, "c"));
		assert_true(is_resumed(context, ctx, "b"));
		assert_false(is_resumed(context, ctx, "a"));
		tls_context_close(context);

		context = open_context(0);
		assert_false(is_resumed(context, ctx, "a"));
		assert_false(is_resumed(context, ctx, "a"));
		tls_context_close(context);
		SSL_CTX_free(ctx);
	}
}

static void close_notify_is_an_end_and_not_a_failure(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct tls_context *context = open_context(0);
		SSL_CTX *ctx = tls_server_open(versions[i]);
		struct peer p;
		struct buf text;

		connect_peer(&p, context, ctx, "");
		assert_int_equal(SSL_write(p.server, "221 bye\r\n", 9), 9);
		SSL_shutdown(p.server);
		buf_init(&text, 100);
		assert_int_equal(hear(&p, &text), TLS_ENDED);
		assert_string_equal(buf_text(&text), "221 bye\r\n");
		buf_done(&text);
		close_peer(&p);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void what_is_no_handshake_fails_with_a_reason(void **state)
{
	static const char *const nonsense[] = { "220 mx.test ESMTP\r\n", "\x15\x03\x03\xff\xff\xff\xff",
						"HTTP/1.1 400 Bad Request\r\n\r\n" };
	struct tls_context *context = open_context(0);
	SSL_CTX *ctx = tls_server_open(0);
	struct peer p;

	(void)state;
	for (size_t i = 0; i < array_count(nonsense); i++) {
		open_peer(&p, context, ctx, "");
		assert_int_equal(tls_handshake(p.tls), TLS_AGAIN);
		tls_feed(p.tls, slice_of(nonsense[i]));
		assert_int_equal(tls_handshake(p.tls), TLS_FAILED);
		assert_true(strlen(tls_why(p.tls)) > 4);
		assert_int_equal(tls_handshake(p.tls), TLS_FAILED);
		close_peer(&p);
	}
	/* A record that is announced and never comes whole is waited for. */
	open_peer(&p, context, ctx, "");
	assert_int_equal(tls_handshake(p.tls), TLS_AGAIN);
	tls_feed(p.tls, (struct slice){ "\x16\x03\x03\x01\x04", 5 });
	assert_int_equal(tls_handshake(p.tls), TLS_AGAIN);
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

static void garbage_behind_the_handshake_fails(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct tls_context *context = open_context(0);
		SSL_CTX *ctx = tls_server_open(versions[i]);
		struct peer p;
		struct buf text;

		connect_peer(&p, context, ctx, "");
		/* A record of the right form whose content was made by somebody else. */
		tls_feed(p.tls, (struct slice){ "\x17\x03\x03\x00\x20"
							   "0123456789abcdef0123456789abcdef", 37 });
		buf_init(&text, 100);
		assert_int_equal(read_all(&p, &text), TLS_FAILED);
		assert_int_equal(text.len, 0);
		assert_string_not_equal(tls_why(p.tls), "no reason given");
		buf_done(&text);
		close_peer(&p);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void old_versions_are_not_spoken(void **state)
{
	struct tls_context *context = open_context(0);
	SSL_CTX *ctx = tls_server_open(TLS1_1_VERSION);
	struct peer p;

	(void)state;
	open_peer(&p, context, ctx, "");
	assert_int_equal(shake(&p), TLS_FAILED);
	close_peer(&p);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

/* Whichever allocation of its making fails. */
static void without_memory_there_is_no_client_or_a_whole_one(void **state)
{
	const struct tls_peer peer = { .server_name = SLICE("mx.test"),
				       .session_key = SLICE("192.0.2.1:25") };
	struct tls_context *context = open_context(2);
	SSL_CTX *ctx = tls_server_open(TLS1_3_VERSION);
	bool failed = true;
	u32 refused = 0;

	(void)state;
	for (u32 n = 1; failed; n++) {
		struct tls *tls;
		struct peer p;

		fail_alloc(n);
		tls = tls_open(context, &peer);
		failed = fail_alloc_end();
		refused += !tls;
		if (!tls)
			continue;
		open_server_of(&p, tls, ctx);
		handshake_and_tickets(&p);
		assert_string_equal(SSL_get_servername(p.server, TLSEXT_NAMETYPE_host_name), "mx.test");
		close_peer(&p);
	}
	assert_true(refused > 0);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_carry_text_both_ways),
		cmocka_unit_test(long_writes_are_taken_whole),
		cmocka_unit_test(small_pieces_share_records_and_no_more_is_taken_than_may_be),
		cmocka_unit_test(a_receiver_met_before_is_resumed),
		cmocka_unit_test(the_oldest_session_leaves),
		cmocka_unit_test(close_notify_is_an_end_and_not_a_failure),
		cmocka_unit_test(what_is_no_handshake_fails_with_a_reason),
		cmocka_unit_test(garbage_behind_the_handshake_fails),
		cmocka_unit_test(old_versions_are_not_spoken),
		cmocka_unit_test(without_memory_there_is_no_client_or_a_whole_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
