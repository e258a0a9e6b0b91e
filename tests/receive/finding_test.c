/* What a file of the spool is made into, for the sender, and for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "receive/finding.h"
#include "receive/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "client 192.0.2.1\nhello mx.peer.test\nfrom \nto bounce-abc@a.example\n"

static const char dsn[] =
	HEAD "\nReceived: from mx\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
	     "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
	     "--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
	     "Reporting-MTA: dns; mx.peer.test\r\n\r\n"
	     "Final-Recipient: rfc822; ann@x.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	     "Remote-MTA: dns; inner.x.test\r\n"
	     "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
	     "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <t.1@a.example>\r\n--b--\r\n";

static struct arena arena;

static struct finding find(const char *file)
{
	struct finding finding = { 0 };

	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	assert_int_equal(finding_make(slice_of(file), "key-1", &arena, &finding), FINDING_MADE);
	arena_done(&arena);
	return finding;
}

static const char *text_at(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

static void a_bounce_is_told_with_all_that_the_sender_needs(void **state)
{
	struct finding finding = find(dsn);
	const json_t *person = json_array_get(json_object_get(finding.json, "people"), 0);

	(void)state;
	assert_int_equal(finding.kind, REPORT_HARD);
	assert_string_equal(text_at(finding.json, "key"), "key-1");
	assert_string_equal(text_at(finding.json, "kind"), "hard");
	assert_string_equal(text_at(finding.json, "form"), "dsn");
	assert_string_equal(text_at(finding.json, "message_id"), "t.1@a.example");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(finding.json, "to"), 0)),
		"bounce-abc@a.example");
	assert_string_equal(text_at(person, "reason"), "mailbox");
	assert_string_equal(text_at(person, "address"), "ann@x.test");
	assert_string_equal(text_at(person, "status"), "5.1.1");
	assert_string_equal(text_at(person, "host"), "inner.x.test");
	assert_non_null(strstr(text_at(person, "words"), "no such user"));
	assert_int_equal(json_integer_value(json_object_get(person, "code")), 550);
	json_decref(finding.json);
}

static void an_envelope_has_to_be_whole(void **state)
{
	static const char *const bad[] = { "",
					   "what is this\n\nx",
					   "client 192.0.2.1\nfrom \n\nSubject: x\r\n",
					   "client 192.0.2.1\nto a@b\n",
					   "to a@b" };
	struct envelope envelope;

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(envelope_read(slice_of(bad[i]), &envelope));
	assert_true(envelope_read(SLICE(HEAD "to second@a.example\n\nx\n\ny"), &envelope));
	assert_int_equal(envelope.to_count, 2);
	assert_true(slice_equal(envelope.message, SLICE("x\n\ny")));
	assert_true(slice_equal(envelope.client, SLICE("192.0.2.1")));
	assert_int_equal(envelope.from.len, 0);
}

/* Every prefix and every octet of it may stand in a file: nothing breaks, and JSON stays JSON. */
static void any_part_of_a_file_can_be_read(void **state)
{
	(void)state;
	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	for (size_t len = 0; len < sizeof(dsn); len++) {
		char *copy = malloc(len + 1);
		struct finding finding = { 0 };

		memcpy(copy, dsn, len);
		if (len > 0)
			copy[len - 1] = (char)(len % 251);
		arena_reset(&arena);
		if (finding_make((struct slice){ copy, len }, "k", &arena, &finding) ==
		    FINDING_MADE) {
			assert_non_null(json_object_get(finding.json, "kind"));
			json_decref(finding.json);
		}
		free(copy);
	}
	arena_done(&arena);
}

/* ---- handing on ---- */

static struct config config;

static void configure(const char *more)
{
	struct error error = { "" };
	char text[1024];

	snprintf(text, sizeof(text),
		 "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" } sign = false }\n"
		 "receive { hostname = \"mx.a.example\" %s }\n",
		 more);
	if (!config_parse(&config, slice_of(text), "test", &error))
		fail_msg("%s", error.text);
}

static enum forward_verdict judge(const char *message, enum report_kind kind)
{
	struct envelope envelope = { .to = { SLICE("postmaster@a.example") }, .to_count = 1,
				     .message = slice_of(message) };
	struct forward_bucket bucket;

	forward_bucket_init(&bucket, 1);
	return forward_judge(&config, &envelope, kind, &bucket, 1);
}

static void only_what_a_person_should_see_goes_and_never_round(void **state)
{
	struct buf hops;

	(void)state;
	configure("");
	assert_int_equal(judge("Subject: x\r\n\r\n", REPORT_UNKNOWN), FORWARD_NOT_WANTED);
	config_free(&config);
	configure("forward-to = \"me@b.example\"");
	assert_int_equal(judge("Subject: x\r\n\r\n", REPORT_UNKNOWN), FORWARD_GO);
	assert_int_equal(judge("Subject: x\r\n\r\n", REPORT_COMPLAINT), FORWARD_GO);
	assert_int_equal(judge("Subject: x\r\n\r\n", REPORT_HARD), FORWARD_MACHINE);
	assert_int_equal(judge("Subject: x\r\n\r\n", REPORT_AUTO_REPLY), FORWARD_MACHINE);
	assert_int_equal(judge("x-hikyaku-forwarded: mx\r\n\r\n", REPORT_UNKNOWN), FORWARD_LOOP);
	assert_int_equal(judge("A: b\r\n\r\nX-Hikyaku-Forwarded: in the text", REPORT_UNKNOWN),
			 FORWARD_GO);
	buf_init(&hops, 2048);
	for (u32 i = 0; i < 31; i++)
		buf_add_text(&hops, "Received: from x\r\n");
	assert_int_equal(judge(buf_text(&hops), REPORT_UNKNOWN), FORWARD_LOOP);
	buf_done(&hops);
	config_free(&config);
}

static void an_hour_has_its_bound(void **state)
{
	struct envelope envelope = { .to = { SLICE("abuse@a.example") }, .to_count = 1,
				     .message = SLICE("A: b\r\n\r\n") };
	struct forward_bucket bucket;
	u32 went = 0;

	(void)state;
	configure("forward-to = \"me@b.example\"");
	forward_bucket_init(&bucket, 5);
	while (forward_judge(&config, &envelope, REPORT_UNKNOWN, &bucket, 6) == FORWARD_GO)
		went++;
	assert_int_equal(went, 200);
	assert_int_equal(forward_judge(&config, &envelope, REPORT_UNKNOWN, &bucket,
				       5 + 3599 * NS_PER_S),
			 FORWARD_TOO_MANY);
	assert_int_equal(forward_judge(&config, &envelope, REPORT_UNKNOWN, &bucket,
				       5 + 3600 * NS_PER_S),
			 FORWARD_GO);
	config_free(&config);
}

static void what_a_client_says_makes_no_header_field(void **state)
{
	struct envelope envelope = {
		.client = SLICE("192.0.2.1"),
		.hello = SLICE("evil\r\nBcc: x@y"),
		.from = SLICE("a\nb@c"),
		.to = { SLICE("postmaster@a.example") },
		.to_count = 1,
		.message = SLICE("Subject: hi\r\n\r\n\xe3\x81\x82 octets\r\n"),
	};
	struct buf out;

	(void)state;
	configure("forward-to = \"me@b.example\"");
	buf_init(&out, 1 << 20);
	assert_true(forward_compose(&config, &envelope, "id1", &out));
	assert_int_equal(slice_find(buf_slice(&out), SLICE("\nBcc:")), -1);
	assert_true(slice_has_prefix(buf_slice(&out), SLICE("From: postmaster@a.example\r\n")));
	assert_true(slice_find(buf_slice(&out), SLICE("Content-Transfer-Encoding: base64")) > 0);
	for (size_t i = 0; i < out.len; i++)
		assert_true((u8)out.ptr[i] < 0x7f &&
			    (out.ptr[i] != '\n' || (i > 0 && out.ptr[i - 1] == '\r')));
	/* As it came, where that is allowed. */
	envelope.message = SLICE("Subject: hi\r\n\r\n.plain\r\n");
	buf_reset(&out);
	assert_true(forward_compose(&config, &envelope, "id1", &out));
	assert_true(slice_find(buf_slice(&out), SLICE("message/rfc822\r\n")) > 0);
	assert_true(slice_find(buf_slice(&out),
			       SLICE("\r\n\r\nSubject: hi\r\n\r\n.plain\r\n\r\n--=_id1--")) > 0);
	buf_done(&out);
	config_free(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bounce_is_told_with_all_that_the_sender_needs),
		cmocka_unit_test(an_envelope_has_to_be_whole),
		cmocka_unit_test(any_part_of_a_file_can_be_read),
		cmocka_unit_test(only_what_a_person_should_see_goes_and_never_round),
		cmocka_unit_test(an_hour_has_its_bound),
		cmocka_unit_test(what_a_client_says_makes_no_header_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
