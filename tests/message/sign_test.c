/* The body hash that is signed: shared or made from a midstate, it is the hash of what is sent. */
#include "message/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OK "From: a@example.jp\nSubject: s\n"

struct signing {
	struct fixture f;
	struct dkim_key key;
	const struct dkim_key *keys[1];
	struct dkim_signer *signer;
};

static void signing_init(struct signing *s)
{
	char path[] = "/tmp/hikyaku-sign-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	fixture_init(&s->f);
	assert_true(dkim_key_create(path, CRYPTO_ED25519, 0, &s->f.error));
	assert_true(dkim_key_load(&s->key, path, SLICE("example.jp"), SLICE("s1"), &s->f.error));
	unlink(path);
	s->keys[0] = &s->key;
	s->f.options.keys = s->keys;
	s->f.options.key_count = 1;
	s->signer = dkim_signer_open();
	assert_non_null(s->signer);
}

static void signing_done(struct signing *s)
{
	fixture_done(&s->f);
	dkim_signer_close(s->signer);
	dkim_key_done(&s->key);
}

/* Composes, signs, and compares bh= with what `wanted` says. */
static void check_hash(struct signing *s, struct slice body, struct slice wanted)
{
	struct dkim_work *works[1] = { &s->f.composed.dkim };

	assert_int_equal(fixture_compose(&s->f, false), MESSAGE_OK);
	assert_slice(fixture_body(&s->f.bytes), body);
	assert_true(s->f.composed.is_signed);
	assert_true(dkim_sign(s->signer, works, 1));
	message_seal(&s->f.composed);
	assert_has(&s->f.composed.head, SLICE("DKIM-Signature: v=1;"));
	assert_has(&s->f.composed.head, wanted);
	assert_int_equal(s->f.composed.hashed_bytes + s->f.composed.saved_bytes, body.len);
}

/* P02, P03: published hashes, of a body that all share. */
static void a_shared_body_has_its_published_hash(void **state)
{
	struct signing s;

	(void)state;
	signing_init(&s);
	assert_true(fixture_compile(&s.f, SLICE(OK "\nHello")));
	check_hash(&s, SLICE("Hello\r\n"),
		   SLICE("bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;"));
	assert_int_equal(s.f.composed.hashed_bytes, 0);
	assert_true(fixture_compile(&s.f, SLICE(OK "\nLine  one \t\n\n\t\n\n")));
	check_hash(&s, SLICE("Line  one \t\r\n\r\n\t\r\n\r\n"),
		   SLICE("bh=o+nRqNPZUrLVJGqWtj6vd90YClPeFaQOBNO/CqBNBok=;"));
	assert_true(fixture_compile(&s.f, SLICE(OK "\n\n\nX\n")));
	check_hash(&s, SLICE("\r\n\r\nX\r\n"),
		   SLICE("bh=SUiX/kysEJxLlncJrbHe8FTnAtQh/bLbO70YB/PzTwg=;"));
	assert_true(fixture_compile(&s.f, SLICE(OK)));
	check_hash(&s, SLICE(""), SLICE("bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;"));
	signing_done(&s);
}

/* The same bytes, cut into literal and value at every place, in a part that encodes nothing. */
static void a_midstate_gives_the_same_hash_wherever_the_field_stands(void **state)
{
	static const char text[] = "Line  one \t\n\n\t\n";
	struct signing s;

	(void)state;
	signing_init(&s);
	s.f.options.charset = MESSAGE_ISO_2022_JP;
	for (size_t from = 0; from < sizeof(text) - 1; from++) {
		for (size_t len = 0; from + len < sizeof(text) - 1; len++) {
			char whole[200];
			struct slice literal = { text, from };

			snprintf(whole, sizeof(whole), OK "\n%.*s{{name}}%s\n", SLICE_FMT(literal),
				 text + from + len);
			s.f.values[0] = (struct slice){ text + from, len };
			assert_true(fixture_compile(&s.f, slice_of(whole)));
			check_hash(&s, SLICE("Line  one \t\r\n\r\n\t\r\n\r\n"),
				   SLICE("bh=o+nRqNPZUrLVJGqWtj6vd90YClPeFaQOBNO/CqBNBok=;"));
			assert_true(s.f.composed.saved_bytes >= from);
		}
	}
	signing_done(&s);
}

static void a_key_of_another_domain_is_refused(void **state)
{
	struct signing s;

	(void)state;
	signing_init(&s);
	assert_false(fixture_compile(&s.f, SLICE("From: a@example.net\n\nx")));
	assert_non_null(strstr(s.f.error.text, "t: "));
	assert_non_null(strstr(s.f.error.text, "example.net"));
	signing_done(&s);
}

static void address_lists_unsubscribe_fields_and_attachments_are_kept(void **state)
{
	struct signing s;

	(void)state;
	signing_init(&s);
	s.f.options.unsubscribe_url = SLICE("https://u.example/{{_token}}");
	s.f.options.unsubscribe_mailto = SLICE("u-{{_token}}@example.jp");
	assert_true(fixture_compile(
		&s.f, SLICE("From: a@example.jp\nTo: \"A, \\\"B\" <a@x.test>, b@x.test\n"
			    "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
			    "Content-Disposition: attachment; filename*=UTF-8''%C3%A4.pdf;\n"
			    " filename=\"\xc3\xa4.pdf\"\n\nAAECAw==\n")));
	assert_int_equal(fixture_compose(&s.f, false), MESSAGE_OK);
	assert_has(&s.f.bytes, SLICE("\r\nTo: \"A, \\\"B\" <a@x.test>, b@x.test\r\n"));
	assert_has(&s.f.bytes, SLICE("\r\nList-Unsubscribe: <https://u.example/tok-1>,"
				     " <mailto:u-tok-1@example.jp>\r\n"));
	assert_has(&s.f.bytes, SLICE("\r\nContent-Disposition: attachment;"
				     " filename*=UTF-8''%C3%A4.pdf\r\n"));
	assert_slice(fixture_body(&s.f.bytes), SLICE("AAECAw==\r\n"));
	/* 8-bit bytes that are no text become base64 in their canonical form. */
	assert_true(fixture_compile(
		&s.f, SLICE("From: a@example.jp\nContent-Type: application/x\n\n\xff\n")));
	assert_int_equal(fixture_compose(&s.f, false), MESSAGE_OK);
	assert_has(&s.f.bytes, SLICE("Content-Transfer-Encoding: base64\r\n"));
	assert_slice(fixture_body(&s.f.bytes), SLICE("/w0K\r\n"));
	signing_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_body_has_its_published_hash),
		cmocka_unit_test(a_midstate_gives_the_same_hash_wherever_the_field_stands),
		cmocka_unit_test(a_key_of_another_domain_is_refused),
		cmocka_unit_test(address_lists_unsubscribe_fields_and_attachments_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
