/* Plans and signatures: what is signed, how it is written, and that receivers can verify it. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the verifier uses SHA256_Init and friends */

#include "dkim/sign.h"

#include "base/random.h"
#include "base/text.h"
#include "dkim/second_verifier.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TIME_S 1700000000ull

static struct dkim_key rsa = { .domain = "news.example", .selector = "r1" };
static struct dkim_key ed25519 = { .domain = "news.example", .selector = "e1" };
static const struct dkim_key *const both[] = { &rsa, &ed25519 };
static const struct dkim_key *const only_ed25519[] = { &ed25519 };
static struct buf public_rsa;
static struct buf public_ed25519;
static struct verify_key verify_keys[2];

static int make_keys(void **state)
{
	(void)state;
	rsa.private_key = crypto_key_generate(CRYPTO_RSA, 1024, NULL);
	ed25519.private_key = crypto_key_generate(CRYPTO_ED25519, 0, NULL);
	buf_init(&public_rsa, 1000);
	buf_init(&public_ed25519, 1000);
	if (!rsa.private_key || !ed25519.private_key ||
	    !crypto_key_public(rsa.private_key, &public_rsa) ||
	    !crypto_key_public(ed25519.private_key, &public_ed25519))
		return -1;
	verify_keys[0] = (struct verify_key){ "r1", true, (u8 *)public_rsa.ptr, public_rsa.len };
	verify_keys[1] =
		(struct verify_key){ "e1", false, (u8 *)public_ed25519.ptr, public_ed25519.len };
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	buf_done(&public_rsa);
	buf_done(&public_ed25519);
	crypto_key_free(rsa.private_key);
	crypto_key_free(ed25519.private_key);
	return 0;
}

#define FIELD(name, value) { SLICE(name), SLICE(value) }
#define VARIES(name) { SLICE(name), SLICE_NONE }

static struct dkim_plan *plan_for(const struct dkim_key *const *keys, size_t key_count,
				  const struct dkim_field *fields, size_t count,
				  struct error *error)
{
	struct dkim_plan_params params = {
		.keys = keys,
		.key_count = key_count,
		.from_domain = SLICE("news.example"),
		.fields = fields,
		.field_count = count,
		.body_canon = DKIM_RELAXED,
	};

	return dkim_plan_make(&params, error);
}

static void hash_body(struct slice body, enum dkim_canon canon, u8 out[SHA256_SIZE])
{
	struct dkim_body state;

	dkim_body_init(&state, canon);
	dkim_body_feed(&state, body.ptr, body.len);
	dkim_body_finish(&state, out);
}

/* The signature field(s), finished, behind what is in `out`. */
static void sign(const struct dkim_plan *plan, const struct slice *values, size_t count,
		 const u8 body_hash[SHA256_SIZE], struct buf *out)
{
	struct dkim_signer *signer = dkim_signer_open();
	struct dkim_work work;
	struct dkim_work *works = &work;
	size_t begin = out->len;

	assert_true(dkim_prepare(&work, plan, values, count, body_hash, TIME_S, out));
	assert_int_equal(out->len - begin, dkim_plan_header_max(plan));
	assert_true(dkim_sign(signer, &works, 1));
	dkim_finish(&work, out->ptr + begin);
	dkim_signer_close(signer);
}

static void add_message(struct buf *out, const struct dkim_field *fields, size_t count,
			const struct slice *values, struct slice body)
{
	for (size_t i = 0; i < count; i++) {
		buf_add_slice(out, fields[i].name);
		buf_add_char(out, ':');
		buf_add_slice(out, fields[i].value.ptr ? fields[i].value : *values++);
		buf_add_text(out, "\r\n");
	}
	buf_add_text(out, "\r\n");
	buf_add_slice(out, body);
}

static void assert_verifies(const struct buf *text, size_t signatures)
{
	static struct verify_message message;

	verify_split(&message, text->ptr, text->len);
	for (size_t i = 0; i < signatures; i++) {
		const char *wrong = verify_message(&message, i, verify_keys, 2);

		if (wrong)
			fail_msg("%s\n%.*s", wrong, (int)text->len, text->ptr);
	}
}

static const struct dkim_field plain[] = {
	FIELD("From", " News <news@news.example>"),
	VARIES("To"),
	FIELD("Subject", " hello\r\n there"),
	FIELD("Date", " Fri, 11 Jul 2003 21:00:37 -0700"),
	VARIES("Message-ID"),
	FIELD("X-Campaign", "7"),
};
static const struct slice plain_values[] = { SLICE(" ann@x.test"), SLICE(" <1@news.example>") };

static void both_signatures_of_a_message_verify(void **state)
{
	struct dkim_plan *plan = plan_for(both, 2, plain, array_count(plain), NULL);
	u8 digest[SHA256_SIZE];
	struct buf out;

	(void)state;
	assert_non_null(plan);
	buf_init(&out, 65536);
	hash_body(SLICE("Hi  there \r\n\r\n"), DKIM_RELAXED, digest);
	sign(plan, plain_values, 2, digest, &out);
	add_message(&out, plain, array_count(plain), plain_values, SLICE("Hi  there \r\n\r\n"));
	assert_verifies(&out, 2);
	buf_done(&out);
	dkim_plan_free(plan);
}

static void the_field_is_written_with_short_lines_and_whole_names(void **state)
{
	static const char want[] =
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=news.example;\r\n"
		" s=e1; t=1700000000; x=1700086400; h=From:Subject:Date:X-Campaign:To:\r\n"
		" Message-ID:From:To:Cc:Subject:Date:Message-ID:Reply-To:In-Reply-To:\r\n"
		" References:MIME-Version:Content-Type:Content-Transfer-Encoding:\r\n"
		" List-Unsubscribe:List-Unsubscribe-Post;\r\n"
		" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
		" b=";
	struct dkim_plan_params params = {
		.keys = only_ed25519,
		.key_count = 1,
		.from_domain = SLICE("NEWS.example"),
		.fields = plain,
		.field_count = array_count(plain),
		.body_canon = DKIM_RELAXED,
		.expire_s = 86400,
	};
	struct dkim_plan *plan = dkim_plan_make(&params, NULL);
	u8 digest[SHA256_SIZE];
	struct buf out;

	(void)state;
	assert_non_null(plan);
	buf_init(&out, 65536);
	hash_body(SLICE(""), DKIM_RELAXED, digest);
	sign(plan, plain_values, 2, digest, &out);
	assert_int_equal(out.len, sizeof(want) - 1 + 88 + 3 + 2);
	assert_memory_equal(out.ptr, want, sizeof(want) - 1);
	assert_memory_equal(out.ptr + sizeof(want) - 1 + 72, "\r\n ", 3);
	assert_memory_equal(out.ptr + out.len - 4, "==\r\n", 4);
	buf_done(&out);
	dkim_plan_free(plan);
}

/* Lines of at most 77 characters unless one token alone is longer; names only broken at colons. */
static void assert_folds_are_good(struct slice header)
{
	while (header.len > 0) {
		i64 end = slice_find(header, SLICE("\r\n"));
		struct slice line = slice_first(header, (size_t)end);

		assert_true(end > 0);
		if (line.len > 77)
			assert_true(slice_find_char(slice_from(line, 1), ' ') < 0);
		assert_false(line.ptr[line.len - 1] == ' ');
		header = slice_from(header, (size_t)end + 2);
	}
}

static void long_names_and_lists_are_folded_between_names_only(void **state)
{
	static char names[40][100];
	struct dkim_field fields[41];
	static struct dkim_key key;
	const struct dkim_key *const keys[] = { &key };
	static struct verify_message message;
	char h[VERIFY_TEXT_MAX];
	u8 digest[SHA256_SIZE] = { 0 };
	struct random random;
	struct buf out;

	(void)state;
	random_seed(&random, 3);
	buf_init(&out, 65536);
	key = rsa;
	for (int round = 0; round < 300; round++) {
		struct dkim_plan *plan;

		memset(key.domain, 'd', 200);
		memcpy(key.domain + random_below(&random, 180), ".example", 9);
		fields[0] = (struct dkim_field)FIELD("From", "x");
		for (size_t i = 0; i < 40; i++) {
			size_t len = 1 + random_below(&random, random_below(&random, 8) ? 20 : 98);

			memset(names[i], 'n', len);
			names[i][len - 1] = (char)('A' + i);
			fields[i + 1] = (struct dkim_field){ { names[i], len }, SLICE("v") };
		}
		struct dkim_plan_params params = {
			.keys = keys,
			.key_count = 1,
			.from_domain = slice_of(key.domain),
			.fields = fields,
			.field_count = 1 + random_below(&random, 41),
			.body_canon = DKIM_SIMPLE,
		};

		plan = dkim_plan_make(&params, NULL);
		assert_non_null(plan);
		buf_reset(&out);
		sign(plan, NULL, 0, digest, &out);
		assert_folds_are_good(buf_slice(&out));
		verify_split(&message, out.ptr, out.len);
		assert_true(verify_tag(message.fields[0], "h", h));
		for (size_t i = 0; i < params.field_count; i++)
			assert_non_null(
				memmem(h, strlen(h), fields[i].name.ptr, fields[i].name.len));
		dkim_plan_free(plan);
	}
	buf_done(&out);
}

static void names_are_listed_once_more_than_they_occur(void **state)
{
	static const char *const guarded[] = {
		"from",		 "to",		"cc",
		"subject",	 "date",	"message-id",
		"reply-to",	 "in-reply-to", "references",
		"mime-version",	 "content-type", "content-transfer-encoding",
		"list-unsubscribe", "list-unsubscribe-post",
	};
	static const struct dkim_field fields[] = {
		FIELD("From", "a"),    FIELD("Subject", "a"),  VARIES("to"),
		FIELD("Received", "a"), FIELD("Return-Path", "a"), FIELD("Comments", "a"),
		FIELD("Keywords", "a"), FIELD("BCC", "a"),     FIELD("Resent-From", "a"),
		FIELD("resent-to", "a"), FIELD("DKIM-Signature", "a"), FIELD("X-Other", "a"),
	};
	static const struct slice value = SLICE("ann@x.test");
	struct dkim_plan *plan = plan_for(only_ed25519, 1, fields, array_count(fields), NULL);
	static struct verify_message message;
	char h[VERIFY_TEXT_MAX];
	u8 digest[SHA256_SIZE] = { 0 };
	size_t total = 0;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	sign(plan, &value, 1, digest, &out);
	verify_split(&message, out.ptr, out.len);
	assert_true(verify_tag(message.fields[0], "h", h));
	for (struct slice rest = slice_of(h); rest.ptr; total++)
		slice_split(&rest, ':');
	for (size_t i = 0; i < array_count(guarded); i++) {
		size_t listed = 0;
		size_t occurs = 0;

		for (struct slice rest = slice_of(h); rest.ptr;)
			listed += slice_equal_nocase(slice_split(&rest, ':'), slice_of(guarded[i]));
		for (size_t k = 0; k < array_count(fields); k++)
			occurs += slice_equal_nocase(fields[k].name, slice_of(guarded[i]));
		assert_int_equal(listed, occurs + 1);
	}
	assert_int_equal(total, array_count(guarded) + 4); /* From, Subject, To, X-Other occur */
	buf_done(&out);
	dkim_plan_free(plan);
}

static struct slice random_value(struct random *random, char *to)
{
	static const char *const parts[] = { "a",      "b=c;",     " ", "\t", "\r\n ",
					     "\r\n\t", "\xc3\xa9", ":", "  " };
	size_t len = 0;

	for (u64 n = random_below(random, 30); n > 0; n--) {
		const char *part = parts[random_below(random, array_count(parts))];

		/* A line of blanks alone would end the header for some readers. */
		if (part[0] == '\r' && (len == 0 || to[len - 1] == ' ' || to[len - 1] == '\t'))
			part = "w";
		len += (size_t)(stpcpy(to + len, part) - (to + len));
	}
	to[len++] = 'z';
	return (struct slice){ to, len };
}

static void random_messages_with_repeated_names_verify(void **state)
{
	static const char *const names[] = {
		"X-A", "x-a", "X-a", "To", "Subject", "Received", "X-B"
	};
	static char texts[30][200];
	struct dkim_field fields[30];
	struct slice values[30];
	struct random random;
	struct buf out;

	(void)state;
	random_seed(&random, 11);
	buf_init(&out, 1 << 20);
	for (int round = 0; round < 1500; round++) {
		size_t count = 1 + random_below(&random, 29);
		size_t from = random_below(&random, count);
		size_t value_count = 0;
		char body[200];
		struct slice text = random_value(&random, body);
		u8 digest[SHA256_SIZE];
		struct dkim_plan *plan;

		for (size_t i = 0; i < count; i++) {
			struct slice value = random_value(&random, texts[i]);

			fields[i].name = slice_of(names[random_below(&random, array_count(names))]);
			fields[i].value = value;
			if (i == from) {
				fields[i].name = SLICE("From");
			} else if (random_below(&random, 2)) {
				fields[i].value = SLICE_NONE;
				values[value_count++] = value;
			}
		}
		memcpy(body + text.len, "\r\n", 2);
		text.len += 2;
		plan = plan_for(round % 8 ? only_ed25519 : both, round % 8 ? 1 : 2, fields, count,
				NULL);
		assert_non_null(plan);
		buf_reset(&out);
		hash_body(text, DKIM_RELAXED, digest);
		sign(plan, values, value_count, digest, &out);
		add_message(&out, fields, count, values, text);
		assert_verifies(&out, round % 8 ? 1 : 2);
		dkim_plan_free(plan);
	}
	buf_done(&out);
}

static void assert_no_plan(const struct dkim_field *fields, size_t count, const char *words)
{
	struct error error = { "" };

	assert_null(plan_for(both, 2, fields, count, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void messages_that_cannot_align_are_refused(void **state)
{
	static const struct dkim_field none[] = { FIELD("Subject", "x") };
	static const struct dkim_field two[] = { FIELD("From", "x"), FIELD("fRoM", "y") };
	static const struct dkim_field varying[] = { VARIES("From") };
	static const char *const domains[] = { "example", "other.example", "a.news.example", "",
					       "news.example.", "news.exampl" };
	struct error error;

	(void)state;
	assert_no_plan(none, 1, "no From");
	assert_no_plan(two, 2, "more than one From");
	assert_no_plan(varying, 1, "same for all");
	for (size_t i = 0; i < array_count(domains); i++) {
		struct dkim_plan_params params = {
			.keys = both,
			.key_count = 2,
			.from_domain = slice_of(domains[i]),
			.fields = plain,
			.field_count = array_count(plain),
		};

		assert_null(dkim_plan_make(&params, &error));
		assert_non_null(strstr(error.text, "news.example"));
	}
}

static void one_foreign_key_among_two_is_refused(void **state)
{
	static struct dkim_key other;
	const struct dkim_key *const keys[] = { &rsa, &other };
	struct error error;

	(void)state;
	other = ed25519;
	slice_copy(other.domain, sizeof(other.domain), SLICE("other.example"));
	assert_null(plan_for(keys, 2, plain, array_count(plain), &error));
	assert_non_null(strstr(error.text, "other.example"));
}

static void field_names_that_would_break_the_list_are_refused(void **state)
{
	static const char *const names[] = {
		"", "a b", "a:b", "a;b", "a\r\nb", "\xc3\xa9", "a\x7f"
	};

	(void)state;
	for (size_t i = 0; i < array_count(names); i++) {
		struct dkim_field fields[] = { FIELD("From", "x"),
					       { slice_of(names[i]), SLICE("v") } };

		assert_no_plan(fields, 2, "be signed");
	}
}

static void more_fields_than_can_be_signed_are_refused(void **state)
{
	struct dkim_field fields[DKIM_FIELDS_MAX + 2];
	struct dkim_plan *plan;

	(void)state;
	for (size_t i = 0; i < array_count(fields); i++)
		fields[i] = (struct dkim_field)FIELD("X-Many", "v");
	fields[3].name = SLICE("From");
	assert_no_plan(fields, DKIM_FIELDS_MAX + 1, "65 header fields");
	fields[0].name = SLICE("Received"); /* not signed, so not counted */
	plan = plan_for(both, 2, fields, DKIM_FIELDS_MAX + 1, NULL);
	assert_non_null(plan);
	dkim_plan_free(plan);
}

static void prepare_refuses_a_full_buffer_and_an_impossible_time(void **state)
{
	struct dkim_plan *plan = plan_for(both, 2, plain, array_count(plain), NULL);
	u8 digest[SHA256_SIZE] = { 0 };
	struct dkim_work work;
	struct buf out;

	(void)state;
	buf_init(&out, dkim_plan_header_max(plan) - 1);
	assert_false(dkim_prepare(&work, plan, plain_values, 2, digest, TIME_S, &out));
	assert_int_equal(out.len, 0);
	buf_done(&out);
	buf_init(&out, dkim_plan_header_max(plan));
	assert_false(dkim_prepare(&work, plan, plain_values, 2, digest, 10000000000ull, &out));
	assert_int_equal(out.len, 0);
	assert_true(dkim_prepare(&work, plan, plain_values, 2, digest, 9999999999ull, &out));
	assert_int_equal(out.len, out.max);
	buf_done(&out);
	dkim_plan_free(plan);
}

static void a_batch_is_signed_like_one_by_one(void **state)
{
	struct dkim_plan *plan = plan_for(both, 2, plain, array_count(plain), NULL);
	struct dkim_signer *signer = dkim_signer_open();
	static struct dkim_work work[20];
	struct dkim_work *works[20];
	static char ids[20][32];
	struct buf out[20];
	u8 digest[SHA256_SIZE];

	(void)state;
	hash_body(SLICE("x\r\n"), DKIM_RELAXED, digest);
	for (int i = 0; i < 20; i++) {
		struct slice values[] = { SLICE("ann@x.test"), SLICE_NONE };

		snprintf(ids[i], sizeof(ids[i]), "<%d@news.example>", i);
		values[1] = slice_of(ids[i]);
		buf_init(&out[i], 65536);
		works[i] = &work[i];
		assert_true(dkim_prepare(works[i], plan, values, 2, digest, TIME_S, &out[i]));
	}
	assert_true(dkim_sign(signer, works, 20));
	for (int i = 0; i < 20; i++) {
		struct slice values[] = { SLICE("ann@x.test"), slice_of(ids[i]) };

		dkim_finish(works[i], out[i].ptr);
		add_message(&out[i], plain, array_count(plain), values, SLICE("x\r\n"));
		assert_verifies(&out[i], 2);
		buf_done(&out[i]);
	}
	assert_true(dkim_sign(signer, works, 0));
	dkim_signer_close(signer);
	dkim_plan_free(plan);
}

/* More keys than the signer keeps, and new keys where freed ones were. */
static void a_signer_never_mixes_up_keys(void **state)
{
	struct dkim_signer *signer = dkim_signer_open();
	static struct dkim_key keys[100];
	struct buf out;
	u8 digest[SHA256_SIZE];

	(void)state;
	buf_init(&out, 65536);
	hash_body(SLICE("x\r\n"), DKIM_RELAXED, digest);
	for (int round = 0; round < 600; round++) {
		struct dkim_key *key = &keys[round * 37 % 100];
		const struct dkim_key *const list[] = { key };
		static struct verify_message message;
		struct verify_key check;
		struct dkim_work work;
		struct dkim_work *works = &work;
		struct dkim_plan *plan;
		struct buf pub;

		if (round % 3 == 0) {
			crypto_key_free(key->private_key);
			key->private_key = NULL;
		}
		if (!key->private_key) {
			*key = ed25519;
			key->private_key = crypto_key_generate(CRYPTO_ED25519, 0, NULL);
		}
		plan = plan_for(list, 1, plain, array_count(plain), NULL);
		buf_reset(&out);
		assert_true(dkim_prepare(&work, plan, plain_values, 2, digest, TIME_S, &out));
		assert_true(dkim_sign(signer, &works, 1));
		dkim_finish(&work, out.ptr);
		add_message(&out, plain, array_count(plain), plain_values, SLICE("x\r\n"));
		buf_init(&pub, 100);
		assert_true(crypto_key_public(key->private_key, &pub));
		check = (struct verify_key){ "e1", false, (u8 *)pub.ptr, pub.len };
		verify_split(&message, out.ptr, out.len);
		assert_null(verify_message(&message, 0, &check, 1));
		buf_done(&pub);
		dkim_plan_free(plan);
	}
	for (size_t i = 0; i < array_count(keys); i++)
		crypto_key_free(keys[i].private_key);
	buf_done(&out);
	dkim_signer_close(signer);
}

static void the_test_verifier_notices_changes(void **state)
{
	struct dkim_plan *plan = plan_for(only_ed25519, 1, plain, array_count(plain), NULL);
	static struct verify_message message;
	u8 digest[SHA256_SIZE];
	struct buf out;
	size_t header;

	(void)state;
	buf_init(&out, 65536);
	hash_body(SLICE("x\r\n"), DKIM_RELAXED, digest);
	sign(plan, plain_values, 2, digest, &out);
	header = out.len;
	add_message(&out, plain, array_count(plain), plain_values, SLICE("x\r\n"));
	for (size_t i = header; i < out.len; i++) {
		if (!isalpha((u8)out.ptr[i]) || memchr(out.ptr + i, ':', 12))
			continue; /* names are of either case; leave them alone */
		out.ptr[i] ^= 1;
		verify_split(&message, out.ptr, out.len);
		assert_non_null(verify_message(&message, 0, verify_keys, 2));
		out.ptr[i] ^= 1;
	}
	buf_done(&out);
	dkim_plan_free(plan);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_signatures_of_a_message_verify),
		cmocka_unit_test(the_test_verifier_notices_changes),
		cmocka_unit_test(the_field_is_written_with_short_lines_and_whole_names),
		cmocka_unit_test(long_names_and_lists_are_folded_between_names_only),
		cmocka_unit_test(names_are_listed_once_more_than_they_occur),
		cmocka_unit_test(random_messages_with_repeated_names_verify),
		cmocka_unit_test(messages_that_cannot_align_are_refused),
		cmocka_unit_test(one_foreign_key_among_two_is_refused),
		cmocka_unit_test(field_names_that_would_break_the_list_are_refused),
		cmocka_unit_test(more_fields_than_can_be_signed_are_refused),
		cmocka_unit_test(prepare_refuses_a_full_buffer_and_an_impossible_time),
		cmocka_unit_test(a_batch_is_signed_like_one_by_one),
		cmocka_unit_test(a_signer_never_mixes_up_keys),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
