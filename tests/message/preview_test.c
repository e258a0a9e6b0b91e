/* A preview shows what the message holds that is sent. */
#include "message/fixture.h"

#include "message/preview.h"

static void check(struct fixture *f, struct arena *arena, struct message_preview *preview)
{
	message_free(f->message);
	f->message = message_compile(&f->source, &f->options, &f->error);
	if (!f->message)
		fail_msg("%s", f->error.text);
	assert_int_equal(message_preview(f->message, &f->recipient, arena, preview, &f->error),
			 MESSAGE_OK);
}

static void a_recipient_s_subject_and_texts_are_shown(void **state)
{
	static const enum message_charset charsets[] = { MESSAGE_UTF8, MESSAGE_ISO_2022_JP };

	(void)state;
	for (size_t i = 0; i < array_count(charsets); i++) {
		struct message_preview preview;
		struct fixture f;
		struct arena arena;

		fixture_init(&f);
		arena_init(&arena, 64u << 10, 16u << 20);
		f.options.charset = charsets[i];
		f.source.headers =
			SLICE("From: \xe9\xa3\x9b\xe8\x84\x9a\xe4\xbe\xbf <a@example.jp>\n"
			      "Subject: {{#if name}}{{name}}\xe6\xa7\x98{{#else}}hello{{/if}}\n");
		f.source.text = SLICE(".a {{note}}\n{{#if name}}\n\xe3\x81\x82\n{{/if}}\nb\n");
		f.source.html = SLICE("<p>\xe3\x81\x84</p>\n<b>{{note}}</b>");
		f.values[0] = SLICE("\xe5\xa4\xaa\xe9\x83\x8e");
		f.values[1] = SLICE("<i>");
		check(&f, &arena, &preview);
		assert_slice(preview.subject, SLICE("\xe5\xa4\xaa\xe9\x83\x8e\xe6\xa7\x98"));
		assert_slice(preview.from,
			     SLICE("\xe9\xa3\x9b\xe8\x84\x9a\xe4\xbe\xbf <a@example.jp>"));
		assert_slice(preview.to, SLICE("taro@example.net"));
		assert_slice(preview.text, SLICE(".a <i>\n\xe3\x81\x82\nb"));
		assert_slice(preview.html, SLICE("<p>\xe3\x81\x84</p>\n<b>&lt;i&gt;</b>"));
		assert_int_equal(preview.attachments, 0);
		/* And it is the very message. */
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		assert_slice(preview.message, buf_slice(&f.bytes));
		arena_done(&arena);
		fixture_done(&f);
	}
}

static void what_hangs_on_the_message_is_counted(void **state)
{
	struct message_preview preview;
	struct fixture f;
	struct arena arena;

	(void)state;
	fixture_init(&f);
	arena_init(&arena, 64u << 10, 16u << 20);
	f.source.whole = SLICE(
		"From: a@example.jp\nContent-Type: multipart/mixed; boundary=b\n\n"
		"--b\nContent-Type: text/html\n\n<p>{{name}}</p>\n"
		"--b\nContent-Type: text/html\nContent-Disposition: attachment; filename=a.html\n\n"
		"<p>other</p>\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
		"AAAA\n--b--\n");
	f.values[0] = SLICE("x");
	check(&f, &arena, &preview);
	assert_slice(preview.html, SLICE("<p>x</p>"));
	assert_int_equal(preview.text.len, 0);
	assert_int_equal(preview.subject.len, 0);
	assert_int_equal(preview.attachments, 2);
	arena_done(&arena);
	fixture_done(&f);
}

static void a_recipient_who_cannot_be_served_has_no_preview(void **state)
{
	struct message_preview preview;
	struct fixture f;
	struct arena arena;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("a\nb");
	f.source.headers = SLICE("From: a@example.jp\nSubject: {{name}}\n");
	f.source.text = SLICE("x\n");
	f.message = message_compile(&f.source, &f.options, &f.error);
	arena_init(&arena, 64u << 10, 16u << 20);
	assert_int_equal(message_preview(f.message, &f.recipient, &arena, &preview, &f.error),
			 MESSAGE_BAD_VALUE);
	arena_done(&arena);
	f.values[0] = SLICE("a");
	arena_init(&arena, 64, 128);
	assert_int_equal(message_preview(f.message, &f.recipient, &arena, &preview, &f.error),
			 MESSAGE_TOO_BIG);
	arena_done(&arena);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipient_s_subject_and_texts_are_shown),
		cmocka_unit_test(what_hangs_on_the_message_is_counted),
		cmocka_unit_test(a_recipient_who_cannot_be_served_has_no_preview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
