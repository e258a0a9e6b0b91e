/* What link_token.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/link_token.h"

#include <string.h>

#define NOW_S 1796000000ull
#define YEAR_MS (365ull * 86400 * 1000)

static struct link_keys keys;
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int set_up(void **state)
{
	(void)state;
	memset(&keys, 0, sizeof(keys));
	link_keys_renew(&keys, NOW_S * 1000);
	return 0;
}

static struct slice make(const struct link_token *token, char text[LINK_TOKEN_MAX])
{
	return (struct slice){ text, link_token_make(&keys, token, text) };
}

static void a_token_says_what_it_was_made_of(void **state)
{
	static const struct link_token tokens[] = {
		{ LINK_TRACK, 1, 1, 0, 0 },
		{ LINK_UNSUBSCRIBE, UINT32_MAX, UINT32_MAX, UINT64_MAX, (1ull << 42) - 1 },
		{ LINK_CONFIRM, 0, 0, 5, NOW_S + 1 },
		{ LINK_UNDO, 300, 70000, 0, NOW_S + 1000 },
	};
	char text[LINK_TOKEN_MAX];
	struct link_token back;

	(void)state;
	for (size_t i = 0; i < array_count(tokens); i++) {
		struct slice token = make(&tokens[i], text);

		assert_true(link_token_read(&keys, tokens[i].purpose, token, NOW_S, &back));
		assert_int_equal(back.purpose, tokens[i].purpose);
		assert_int_equal(back.campaign, tokens[i].campaign);
		assert_int_equal(back.contact, tokens[i].contact);
		assert_int_equal(back.extra, tokens[i].extra);
		assert_int_equal(back.expires_s, tokens[i].expires_s);
	}
}

static void the_token_of_a_mail_is_short(void **state)
{
	char text[LINK_TOKEN_MAX];

	(void)state;
	assert_true(make(&(struct link_token){ LINK_TRACK, 5000, 2000000, 0, 0 }, text).len <= 31);
}

static void it_serves_its_purpose_alone(void **state)
{
	char text[LINK_TOKEN_MAX];
	struct link_token back;

	(void)state;
	for (u32 made = 1; made < LINK_PURPOSES; made++) {
		struct slice token =
			make(&(struct link_token){ (enum link_purpose)made, 7, 8, 0, 0 }, text);

		for (u32 asked = 1; asked < LINK_PURPOSES; asked++)
			assert_int_equal(link_token_read(&keys, (enum link_purpose)asked, token,
							 NOW_S, &back),
					 made == asked);
	}
}

static void every_other_character_at_every_place_is_found(void **state)
{
	char text[LINK_TOKEN_MAX];
	struct link_token back;
	struct slice token = make(&(struct link_token){ LINK_UNSUBSCRIBE, 9, 77, 3, 0 }, text);

	(void)state;
	for (size_t at = 0; at < token.len; at++) {
		char right = text[at];

		for (size_t i = 0; i < sizeof(alphabet) - 1; i++) {
			text[at] = alphabet[i];
			assert_int_equal(link_token_read(&keys, LINK_UNSUBSCRIBE, token, NOW_S,
							 &back),
					 alphabet[i] == right);
		}
		text[at] = right;
	}
	for (size_t len = 0; len < token.len; len++)
		assert_false(link_token_read(&keys, LINK_UNSUBSCRIBE, slice_first(token, len),
					     NOW_S, &back));
}

static void it_ends_at_its_time(void **state)
{
	char text[LINK_TOKEN_MAX];
	struct link_token back;
	struct slice token = make(&(struct link_token){ LINK_CONFIRM, 1, 2, 3, NOW_S }, text);

	(void)state;
	assert_true(link_token_read(&keys, LINK_CONFIRM, token, NOW_S - 1, &back));
	assert_false(link_token_read(&keys, LINK_CONFIRM, token, NOW_S, &back));
}

static void keys_come_back_from_their_record(void **state)
{
	u8 record[LINK_KEYS_RECORD_MAX];
	char text[LINK_TOKEN_MAX];
	struct link_token back;
	struct slice token = make(&(struct link_token){ LINK_VIEW, 1, 2, 0, 0 }, text);
	size_t len = link_keys_write(&keys, record);
	struct slice bytes = { (const char *)record, len };

	(void)state;
	assert_true(link_keys_read(&keys, bytes));
	assert_true(link_token_read(&keys, LINK_VIEW, token, NOW_S, &back));
	assert_false(link_keys_read(&keys, slice_first(bytes, len - 1)));
	assert_false(link_keys_read(&keys, SLICE_NONE));
	assert_true(link_keys_are_old(&keys, NOW_S * 1000));
}

static void links_of_old_mail_outlive_three_new_keys(void **state)
{
	char first_text[LINK_TOKEN_MAX];
	char text[LINK_TOKEN_MAX];
	struct link_token back;
	struct slice first = make(&(struct link_token){ LINK_TRACK, 1, 2, 0, 0 }, first_text);
	u64 now_ms = NOW_S * 1000;

	(void)state;
	assert_false(link_keys_are_old(&keys, now_ms + LINK_KEY_AGE_MS - 1));
	assert_true(link_keys_are_old(&keys, now_ms + LINK_KEY_AGE_MS));
	for (u32 i = 1; i < LINK_KEYS_MAX; i++) {
		link_keys_renew(&keys, now_ms + i * YEAR_MS);
		assert_true(link_token_read(&keys, LINK_TRACK, first, NOW_S, &back));
		assert_true(link_token_read(
			&keys, LINK_TRACK,
			make(&(struct link_token){ LINK_TRACK, 1, 2, 0, 0 }, text), NOW_S, &back));
	}
	link_keys_renew(&keys, now_ms + 9 * YEAR_MS);
	assert_int_equal(keys.count, LINK_KEYS_MAX);
	assert_false(link_token_read(&keys, LINK_TRACK, first, NOW_S, &back));
}

static void a_clock_that_went_back_makes_no_key_older_than_the_last(void **state)
{
	u32 newest = keys.newest;
	u8 record[LINK_KEYS_RECORD_MAX];

	(void)state;
	link_keys_renew(&keys, 5);
	assert_int_not_equal(keys.newest, newest);
	newest = keys.newest;
	assert_true(link_keys_read(&keys, (struct slice){ (const char *)record,
							  link_keys_write(&keys, record) }));
	assert_int_equal(keys.newest, newest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_token_says_what_it_was_made_of, set_up),
		cmocka_unit_test_setup(the_token_of_a_mail_is_short, set_up),
		cmocka_unit_test_setup(it_serves_its_purpose_alone, set_up),
		cmocka_unit_test_setup(every_other_character_at_every_place_is_found, set_up),
		cmocka_unit_test_setup(it_ends_at_its_time, set_up),
		cmocka_unit_test_setup(keys_come_back_from_their_record, set_up),
		cmocka_unit_test_setup(links_of_old_mail_outlive_three_new_keys, set_up),
		cmocka_unit_test_setup(a_clock_that_went_back_makes_no_key_older_than_the_last,
				       set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
