/* Memory that runs out while a message is compiled or composed: the same bytes, or none. */
#include "base/fail_alloc.h"
#include "message/fixture.h"

/* Every way that a template's bytes go through buffers of their own. */
static const struct {
	const char *whole;
	enum message_charset charset;
} templates[] = {
	{ .whole = "From: The news of the week <news@example.jp>\n"
		   "To: {{name}} of a name that is long enough to need a second allocation <{{email}}>\n"
		   "Subject: {{name | upper}} {{note}}, this is the news that is sent once a week\n"
		   "List-Unsubscribe: <https://example.jp/u/{{_token}}?q={{note}}>\n"
		   "Content-Type: text/html\n\n"
		   "<p>{{name | default: \"you who read this\"}} {{note}}\n"
		   ".<a href=\"https://example.jp/?q={{link}}\">{{link | url}}</a></p>\n" },
	{ .whole = "From: =?UTF-8?B?6Kqt6ICF44Gu44Gf44KB44Gu5paw6IGe?= <news@example.jp>\n"
		   "Reply-To: \"A \\\"quoted\\\" name\" <a@example.jp>, b@example.jp\n"
		   "Subject: =?ISO-8859-1?Q?caf=E9?= =?ISO-8859-1?Q?_au_lait?= {{name}}\n"
		   "MIME-Version: 1.0\n"
		   "Content-Type: multipart/mixed; boundary=\"outer boundary\"\n\n"
		   "--outer boundary\n"
		   "Content-Type: text/plain; charset=\"utf-8\"; name=\"\xe8\xaa\xad\"\n"
		   "Content-Transfer-Encoding: quoted-printable\n\n"
		   "Good=20morning {{name}},=\n this is {{note}}\n"
		   "--outer boundary\n"
		   "Content-Type: text/plain; charset=iso-8859-1\n"
		   "Content-Disposition: attachment; filename=\"caf\xc3\xa9 of a long name.txt\"\n"
		   "Content-Description: a caf\xc3\xa9\n"
		   "Content-Transfer-Encoding: quoted-printable\n\n"
		   "caf=E9 " /* not tidy: written anew */ "\n"
		   "--outer boundary\n"
		   "Content-Type: application/octet-stream\n"
		   "Content-Transfer-Encoding: base64\n\n"
		   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
		   "--outer boundary\n"
		   "Content-Type: text/plain\n\n"
		   "From the \x01 control\n"
		   "--outer boundary--\n" },
	{ .whole = "From: news@example.jp\n"
		   "Subject: {{name}}\xe3\x81\x95\xe3\x82\x93\xe3\x81\xb8\n\n"
		   "{{name}} \xe3\x81\x95\xe3\x82\x93\xe3\x80\x81\xe4\xbb\x8a\xe9\x80\xb1\n",
	  .charset = MESSAGE_ISO_2022_JP },
	{ .whole = "From: news@example.jp\n"
		   "Subject: {{#if name|upper contains \"SONS\" and not (note = 5)}}{{name}}"
		   "{{#else}}nobody{{/if}}\n"
		   "Content-Type: text/html\n\n"
		   "{{#each note as n}}<p {{#if n}}title=\"{{n}}\"{{/if}}>{{this | number}}</p>"
		   "{{/each}}\n{{>foot of all letters}}\n{{link | date: \"YYYY\"}}\n" },
};

static bool find_block(void *owner, struct slice name, bool html, struct slice *text)
{
	(void)owner;
	(void)name;
	(void)html;
	*text = SLICE("{{#if link}}\n{{link}} is what stands here\n{{#else}}\n-\n{{/if}}\n");
	return true;
}

/* Composed once, with all the memory there is: `first` is what is wanted. */
static void begin(struct fixture *f, size_t which, struct buf *first)
{
	static const struct message_blocks blocks = { .find = find_block };

	fixture_init(f);
	f->options.blocks = &blocks;
	f->values[0] = SLICE("\xe8\xaa\xad\xe8\x80\x85 & sons, a name of many octets");
	f->values[1] = SLICE("a note <b> with many & many signs that need to be escaped &&&&&&&&&");
	f->values[2] = SLICE("x y z");
	f->options.charset = templates[which].charset;
	f->options.unsubscribe_url = SLICE("https://example.jp/unsubscribe/{{_token}}");
	f->options.unsubscribe_mailto = SLICE("unsubscribe-{{_token}}@example.jp");
	if (!fixture_compile(f, slice_of(templates[which].whole)))
		fail_msg("%s", f->error.text);
	if (fixture_compose(f, false) != MESSAGE_OK)
		fail_msg("%s", f->error.text);
	buf_init(first, 1u << 20);
	buf_add_slice(first, buf_slice(&f->bytes));
}

/* With what stands around the first difference: messages are longer than what cmocka shows. */
static void assert_same(const struct buf *got, const struct buf *wanted)
{
	size_t at = 0;
	size_t from;

	while (at < got->len && at < wanted->len && got->ptr[at] == wanted->ptr[at])
		at++;
	if (at == got->len && at == wanted->len)
		return;
	from = at > 40 ? at - 40 : 0;
	fail_msg("at %zu: got \"%.*s\", wanted \"%.*s\"", at,
		 SLICE_FMT(slice_first(slice_from(buf_slice(got), from), 120)),
		 SLICE_FMT(slice_first(slice_from(buf_slice(wanted), from), 120)));
}

static void compose_again_and_again(size_t which)
{
	bool failed = true;
	struct fixture f;
	struct buf first;
	u32 tries = 0;

	begin(&f, which, &first);
	while (failed) {
		enum message_result result;

		message_composed_done(&f.composed);
		message_composed_init(&f.composed);
		fail_alloc(++tries);
		result = message_compose(f.message, &f.recipient, false, &f.composed, &f.error);
		failed = fail_alloc_end();
		assert_int_equal(result, failed ? MESSAGE_NO_MEMORY : MESSAGE_OK);
		/* Once there is memory again, the same composed holds the message. */
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		assert_same(&f.bytes, &first);
	}
	assert_true(tries > 4);
	buf_done(&first);
	fixture_done(&f);
}

static void compile_again_and_again(size_t which)
{
	bool failed = true;
	struct fixture f;
	struct buf first;
	u32 tries = 0;

	begin(&f, which, &first);
	while (failed) {
		f.error.text[0] = '\0';
		fail_alloc(++tries);
		if (!fixture_compile(&f, slice_of(templates[which].whole))) {
			assert_true(fail_alloc_end());
			assert_true(f.error.text[0] != '\0');
			continue;
		}
		failed = fail_alloc_end();
		assert_int_equal(fixture_compose(&f, false), MESSAGE_OK);
		assert_same(&f.bytes, &first);
	}
	assert_true(tries > 10);
	buf_done(&first);
	fixture_done(&f);
}

static void composing_without_memory_is_whole_or_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_count(templates); i++)
		compose_again_and_again(i);
}

static void compiling_without_memory_makes_the_same_message_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_count(templates); i++)
		compile_again_and_again(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composing_without_memory_is_whole_or_says_so),
		cmocka_unit_test(compiling_without_memory_makes_the_same_message_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
