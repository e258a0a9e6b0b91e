#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "delivery/mailing.h"

static const u8 secret[MAILING_SECRET_SIZE] = "a secret of 32 bytes for testing";

static struct mailing *make(const char *template)
{
	struct message_source source = { .name = "test", .whole = slice_of(template) };
	struct message_options options = { 0 };
	struct queue_campaign campaign = { .id = 7, .name = "spring", .customer = "example.jp" };
	struct error error;
	struct message *message = message_compile(&source, &options, &error);
	struct mailing *mailing;

	assert_non_null(message);
	mailing = mailing_make(&campaign, message, 0, "bounce", secret);
	assert_non_null(mailing);
	return mailing;
}

static struct mailing *personal(void)
{
	return make("From: a@example.jp\r\nSubject: {{email}}\r\n\r\nhello\r\n");
}

static struct slice token_of(const struct mailing *mailing, enum mailing_purpose purpose,
			     struct row_id id, char text[MAILING_TOKEN_MAX])
{
	return (struct slice){ text, mailing_token(mailing, purpose, &id, text) };
}

static void a_token_leads_back_to_its_row_and_is_the_same_every_time(void **state)
{
	struct mailing *mailing = personal();
	struct row_id id = { 7, 123456, 4000000000u };
	struct row_id back;
	char a[MAILING_TOKEN_MAX];
	char b[MAILING_TOKEN_MAX];
	struct slice token = token_of(mailing, MAILING_BOUNCE, id, a);

	(void)state;
	assert_true(slice_equal(token, token_of(mailing, MAILING_BOUNCE, id, b)));
	assert_true(mailing_token_check(secret, MAILING_BOUNCE, token, &back));
	assert_memory_equal(&back, &id, sizeof(id));
	mailing_free(mailing);
}

static void a_token_of_one_purpose_is_worth_nothing_for_another(void **state)
{
	struct mailing *mailing = personal();
	struct row_id id = { 7, 1, 1 };
	char text[MAILING_TOKEN_MAX];
	struct slice token = token_of(mailing, MAILING_IDENTITY, id, text);

	(void)state;
	assert_true(mailing_token_check(secret, MAILING_IDENTITY, token, &id));
	assert_false(mailing_token_check(secret, MAILING_UNSUBSCRIBE, token, &id));
	assert_false(mailing_token_check(secret, MAILING_BOUNCE, token, &id));
	mailing_free(mailing);
}

static void every_changed_character_spoils_a_token(void **state)
{
	struct mailing *mailing = personal();
	u8 other[MAILING_SECRET_SIZE] = { 1 };
	struct row_id id = { 7, 9, 11 };
	char text[MAILING_TOKEN_MAX];
	struct slice token = token_of(mailing, MAILING_BOUNCE, id, text);

	(void)state;
	assert_false(mailing_token_check(other, MAILING_BOUNCE, token, &id));
	assert_false(mailing_token_check(secret, MAILING_BOUNCE, slice_first(token, token.len - 1), &id));
	assert_false(mailing_token_check(secret, MAILING_BOUNCE, SLICE(""), &id));
	for (size_t i = 0; i < token.len; i++) {
		char kept = text[i];

		text[i] = kept == '7' ? '8' : '7';
		assert_false(mailing_token_check(secret, MAILING_BOUNCE, token, &id));
		text[i] = kept;
	}
	mailing_free(mailing);
}

static void an_envelope_sender_fits_the_limits_of_a_mailbox(void **state)
{
	struct mailing *mailing = personal();
	struct row_id id = { UINT32_MAX, UINT32_MAX, UINT32_MAX };
	struct buf out;
	i64 at;

	(void)state;
	buf_init(&out, 400);
	mailing_add_sender(mailing, &id, &out);
	at = slice_find_char(buf_slice(&out), '@');
	assert_in_range(at, 1, 64); /* RFC 5321 section 4.5.3.1.1 */
	assert_true(slice_equal(slice_from(buf_slice(&out), (size_t)at), SLICE("@example.jp")));
	assert_true(slice_has_prefix(buf_slice(&out), SLICE("bounce-")));
	buf_done(&out);
	mailing_free(mailing);
}

/* `text` has room for 400. */
static struct slice sender_of(const struct mailing *mailing, struct row_id id, char *text)
{
	struct buf out = { .ptr = text, .size = 400, .max = 400 };

	mailing_add_sender(mailing, &id, &out);
	assert_false(out.failed);
	return buf_slice(&out);
}

static enum mailing_tag read_sender(struct slice recipient, struct row_id *id)
{
	return mailing_read_sender(secret, SLICE("bounce"), recipient, id);
}

static void an_envelope_sender_leads_back_to_its_row_however_hosts_write_it(void **state)
{
	struct mailing *mailing = personal();
	struct row_id id = { 7, 70000, 123 };
	char text[400];
	char other[400];
	struct slice sender = sender_of(mailing, id, text);
	size_t at = (size_t)slice_find_char(sender, '@');
	struct row_id back;

	(void)state;
	for (u32 shape = 0; shape < 7; shape++) {
		static const char *const formats[] = {
			"%.*s@example.jp",     "\"%.*s\"@example.jp",  "%.*s+tag@example.jp",
			"%.*s+@EXAMPLE.JP",    "\"%.*s+a b\"@example.jp", "%.*s",
			"%.*s+\"x@y\"@example.jp",
		};

		for (u32 upper = 0; upper < 3; upper++) {
			snprintf(other, sizeof(other), formats[shape], (int)at, sender.ptr);
			for (size_t i = 0; upper > 0 && i < strlen(other); i += upper)
				other[i] = (char)toupper((unsigned char)other[i]);
			memset(&back, 0xff, sizeof(back));
			assert_int_equal(read_sender(slice_of(other), &back), MAILING_TAG_OURS);
			assert_memory_equal(&back, &id, sizeof(id));
		}
	}
	mailing_free(mailing);
}

static void a_forged_tag_is_told_from_another_address(void **state)
{
	static const struct {
		const char *recipient;
		enum mailing_tag is;
	} cases[] = {
		{ "info@example.jp", MAILING_TAG_NONE },
		{ "", MAILING_TAG_NONE },
		{ "@example.jp", MAILING_TAG_NONE },
		{ "bounce@example.jp", MAILING_TAG_NONE },
		{ "bounces-x@example.jp", MAILING_TAG_NONE },
		{ "bounce+x@example.jp", MAILING_TAG_NONE },
		{ "bounce-@example.jp", MAILING_TAG_FORGED },
		{ "bounce-x@example.jp", MAILING_TAG_FORGED },
		{ "BOUNCE-+x@example.jp", MAILING_TAG_FORGED },
		{ "bounce-0000000000000000000000000000000000000000000000@example.jp", MAILING_TAG_FORGED },
		{ "\"bounce-", MAILING_TAG_FORGED },
		{ "\"", MAILING_TAG_NONE },
		{ "\\", MAILING_TAG_NONE },
	};
	struct mailing *mailing = personal();
	char token[MAILING_TOKEN_MAX];
	char long_one[600] = "bounce-";
	char text[400];
	struct row_id id;
	struct slice sender;

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		assert_int_equal(read_sender(slice_of(cases[i].recipient), &id), cases[i].is);
	memset(long_one + 7, '0', 500);
	assert_int_equal(read_sender(slice_of(long_one), &id), MAILING_TAG_NONE);
	/* A token that people can see in a link is none for bounces. */
	sender = token_of(mailing, MAILING_UNSUBSCRIBE, (struct row_id){ 7, 1, 1 }, token);
	snprintf(text, sizeof(text), "bounce-%.*s@example.jp", SLICE_FMT(sender));
	assert_int_equal(read_sender(slice_of(text), &id), MAILING_TAG_FORGED);
	/* Each octet of a good one counts. */
	sender = sender_of(mailing, (struct row_id){ 7, 1, 1 }, text);
	for (size_t i = strlen("bounce-"); i < (size_t)slice_find_char(sender, '@'); i++) {
		char kept = text[i];

		text[i] = kept == '7' ? '8' : '7';
		assert_int_equal(read_sender(sender, &id), MAILING_TAG_FORGED);
		text[i] = kept;
	}
	mailing_free(mailing);
}

static void an_unsubscribe_address_leads_back_to_its_row(void **state)
{
	static const struct {
		const char *mailto;
		const char *recipient; /* %s: the token */
		enum mailing_tag is;
	} cases[] = {
		{ "u-{{_token}}@example.jp", "u-%s@example.jp", MAILING_TAG_OURS },
		{ "u-{{_token}}@example.jp", "\"U-%s+x\"@example.jp", MAILING_TAG_OURS },
		{ "{{_token}}-leave@example.jp", "%s-Leave@example.jp", MAILING_TAG_OURS },
		{ "a{{_token}}b@example.jp", "a%sb+c@example.jp", MAILING_TAG_OURS },
		{ "a{{_token}}b@example.jp", "a%s@example.jp", MAILING_TAG_NONE },
		{ "a{{_token}}b@example.jp", "%sb@example.jp", MAILING_TAG_NONE },
		{ "a{{_token}}b@example.jp", "ab@example.jp", MAILING_TAG_FORGED },
		{ "a{{_token}}b@example.jp", "a@example.jp", MAILING_TAG_NONE },
		{ "u-{{_token}}@example.jp", "u-0%s@example.jp", MAILING_TAG_FORGED },
		{ "unsubscribe@example.jp", "unsubscribe@example.jp", MAILING_TAG_NONE },
	};
	struct mailing *mailing = personal();
	struct row_id id = { 7, 3, 9 };
	char token[MAILING_TOKEN_MAX + 1];
	char text[400];
	struct row_id back;

	(void)state;
	token[token_of(mailing, MAILING_UNSUBSCRIBE, id, token).len] = '\0';
	for (size_t i = 0; i < array_count(cases); i++) {
		snprintf(text, sizeof(text), cases[i].recipient, token);
		memset(&back, 0xff, sizeof(back));
		assert_int_equal(mailing_read_unsubscribe(secret, slice_of(cases[i].mailto),
							  slice_of(text), &back), cases[i].is);
		if (cases[i].is == MAILING_TAG_OURS)
			assert_memory_equal(&back, &id, sizeof(id));
	}
	/* The token of an envelope sender, which hosts see, takes nobody off a list. */
	token[token_of(mailing, MAILING_BOUNCE, id, token).len] = '\0';
	snprintf(text, sizeof(text), "u-%s@example.jp", token);
	assert_int_equal(mailing_read_unsubscribe(secret, SLICE("u-{{_token}}@x"), slice_of(text), &back),
			 MAILING_TAG_FORGED);
	mailing_free(mailing);
}

static void a_message_id_leads_back_to_its_row(void **state)
{
	struct mailing *mailing = personal();
	struct row_id id = { 7, 3, 9 };
	struct row_id back = { 0 };
	char token[MAILING_TOKEN_MAX + 1];
	char text[400];

	(void)state;
	token[token_of(mailing, MAILING_IDENTITY, id, token).len] = '\0';
	snprintf(text, sizeof(text), "%s.7@example.jp", token);
	assert_int_equal(mailing_read_message_id(secret, slice_of(text), &back), MAILING_TAG_OURS);
	assert_memory_equal(&back, &id, sizeof(id));
	text[3] = text[3] == '7' ? '8' : '7';
	assert_int_equal(mailing_read_message_id(secret, slice_of(text), &back), MAILING_TAG_FORGED);
	/* Without a host, or of somebody else. */
	assert_int_equal(mailing_read_message_id(secret, slice_of(token), &back), MAILING_TAG_NONE);
	assert_int_equal(mailing_read_message_id(secret, SLICE("a.b@example.jp"), &back), MAILING_TAG_NONE);
	assert_int_equal(mailing_read_message_id(secret, SLICE(""), &back), MAILING_TAG_NONE);
	token[token_of(mailing, MAILING_BOUNCE, id, token).len] = '\0';
	snprintf(text, sizeof(text), "%s.7@example.jp", token);
	assert_int_equal(mailing_read_message_id(secret, slice_of(text), &back), MAILING_TAG_FORGED);
	mailing_free(mailing);
}

static void a_mailing_that_is_the_same_for_all_leads_back_to_its_campaign(void **state)
{
	struct mailing *mailing =
		make("From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n\r\nhello\r\n");
	struct row_id id = { 7, 5, 6 };
	struct row_id back;
	char text[400];

	(void)state;
	id = mailing_identity(mailing, &id);
	assert_int_equal(read_sender(sender_of(mailing, id, text), &back), MAILING_TAG_OURS);
	assert_int_equal(back.campaign, 7);
	assert_int_equal(back.domain, 0);
	assert_int_equal(back.seq, 0);
	mailing_free(mailing);
}

static void only_a_message_that_is_the_same_for_all_is_grouped(void **state)
{
	static const char *const personal_ones[] = {
		"From: a@example.jp\r\nSubject: x\r\n\r\nhello\r\n", /* To is the recipient */
		"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: {{email}}\r\n\r\nhello\r\n",
		"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n\r\n{{_token}}\r\n",
	};
	struct row_id id = { 7, 1, 2 };
	struct mailing *mailing =
		make("From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n\r\nhello\r\n");

	(void)state;
	assert_true(mailing->is_grouped);
	assert_int_equal(mailing_identity(mailing, &id).seq, 0);
	mailing_free(mailing);
	for (size_t i = 0; i < array_count(personal_ones); i++) {
		mailing = make(personal_ones[i]);
		assert_false(mailing->is_grouped);
		assert_int_equal(mailing_identity(mailing, &id).seq, 2);
		mailing_free(mailing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_leads_back_to_its_row_and_is_the_same_every_time),
		cmocka_unit_test(a_token_of_one_purpose_is_worth_nothing_for_another),
		cmocka_unit_test(every_changed_character_spoils_a_token),
		cmocka_unit_test(an_envelope_sender_fits_the_limits_of_a_mailbox),
		cmocka_unit_test(an_envelope_sender_leads_back_to_its_row_however_hosts_write_it),
		cmocka_unit_test(a_forged_tag_is_told_from_another_address),
		cmocka_unit_test(an_unsubscribe_address_leads_back_to_its_row),
		cmocka_unit_test(a_message_id_leads_back_to_its_row),
		cmocka_unit_test(a_mailing_that_is_the_same_for_all_leads_back_to_its_campaign),
		cmocka_unit_test(only_a_message_that_is_the_same_for_all_is_grouped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
