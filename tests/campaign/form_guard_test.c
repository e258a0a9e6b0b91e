/* What form_guard.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/form_guard.h"

#include <stdio.h>
#include <string.h>

#define NOW_S 1796000400ull /* the beginning of an hour */
#define FORM 3

static struct form_guard guard;
static struct link_keys keys;
static char token_text[LINK_TOKEN_MAX];
static struct slice token;
static char proof_text[FORM_PROOF_MAX + 1];

static int set_up(void **state)
{
	(void)state;
	form_guard_init(&guard);
	memset(&keys, 0, sizeof(keys));
	link_keys_renew(&keys, NOW_S * 1000);
	return 0;
}

static void show_form(u32 form, u64 now_s)
{
	token = (struct slice){ token_text, form_guard_token(&keys, form, now_s, token_text) };
}

static struct slice prove(void)
{
	for (u32 i = 0;; i++) {
		snprintf(proof_text, sizeof(proof_text), "%u", i);
		if (form_proof_is_good(token, slice_of(proof_text)))
			return slice_of(proof_text);
	}
}

static enum form_verdict judge(struct slice proof, const char *peer, u64 now_s)
{
	u32 wait_s;
	struct form_try attempt = { FORM, token, proof, slice_of(peer), now_s };

	return form_guard_judge(&guard, &keys, &attempt, &wait_s);
}

static void a_proof_shortens_the_wait(void **state)
{
	struct form_try attempt;
	u32 wait_s;

	(void)state;
	show_form(FORM, NOW_S);
	assert_int_equal(judge(prove(), "192.0.2.1", NOW_S + FORM_QUICK_S - 1), FORM_TOO_QUICK);
	assert_int_equal(judge(SLICE(""), "192.0.2.1", NOW_S + FORM_QUICK_S), FORM_TOO_QUICK);
	attempt = (struct form_try){ FORM, token, SLICE("x"), SLICE("192.0.2.1"), NOW_S + 5 };
	assert_int_equal(form_guard_judge(&guard, &keys, &attempt, &wait_s), FORM_TOO_QUICK);
	assert_int_equal(wait_s, FORM_PATIENT_S - 5);
	assert_int_equal(judge(prove(), "192.0.2.1", NOW_S + FORM_QUICK_S), FORM_LETS_IN);
}

static void a_token_counts_once_for_its_form_and_for_its_time(void **state)
{
	(void)state;
	show_form(FORM, NOW_S);
	assert_int_equal(judge(SLICE(""), "192.0.2.1", NOW_S + FORM_PATIENT_S), FORM_LETS_IN);
	assert_int_equal(judge(SLICE(""), "192.0.2.2", NOW_S + FORM_PATIENT_S), FORM_NO_TOKEN);
	show_form(FORM, NOW_S);
	assert_int_equal(judge(SLICE(""), "192.0.2.1", NOW_S + FORM_SHOWN_S), FORM_NO_TOKEN);
	show_form(FORM + 1, NOW_S);
	assert_int_equal(judge(SLICE(""), "192.0.2.1", NOW_S + FORM_PATIENT_S), FORM_NO_TOKEN);
	token = SLICE("");
	assert_int_equal(judge(SLICE(""), "192.0.2.1", NOW_S + FORM_PATIENT_S), FORM_NO_TOKEN);
}

static void a_proof_is_of_one_token(void **state)
{
	char other[FORM_PROOF_MAX + 1];
	struct slice good;

	(void)state;
	show_form(FORM, NOW_S);
	good = prove();
	slice_copy(other, sizeof(other), good);
	assert_true(form_proof_is_good(token, slice_of(other)));
	assert_false(form_proof_is_good(token, SLICE("")));
	assert_false(form_proof_is_good(token, SLICE("000000000000000000000")));
	show_form(FORM, NOW_S);
	assert_false(form_proof_is_good(token, slice_of(other)) &&
		     form_proof_is_good(token, SLICE("0")));
}

static u32 let_in(const char *peer, u64 now_s, u32 tries)
{
	u32 count = 0;

	for (u32 i = 0; i < tries; i++) {
		show_form(FORM, now_s - FORM_PATIENT_S);
		count += judge(SLICE(""), peer, now_s) == FORM_LETS_IN;
	}
	return count;
}

static void a_net_has_its_share_of_each_hour(void **state)
{
	(void)state;
	assert_int_equal(let_in("192.0.2.1", NOW_S, 30), FORM_RATE_PATIENT);
	assert_int_equal(let_in("192.0.2.2", NOW_S, 30), FORM_RATE_PATIENT);
	assert_int_equal(let_in("192.0.2.1", NOW_S + 3600, 30), FORM_RATE_PATIENT);
	assert_int_equal(let_in("2001:db8::1", NOW_S, 30), FORM_RATE_PATIENT);
	assert_int_equal(let_in("2001:db8::ffff:2", NOW_S, 30), 0);
	assert_int_equal(let_in("2001:db8:0:1::1", NOW_S, 30), FORM_RATE_PATIENT);
	assert_int_equal(let_in("nonsense", NOW_S, 30), FORM_RATE_PATIENT);
}

static void many_tokens_fill_its_memory_and_none_counts_twice(void **state)
{
	char peer[32];
	u32 many = 0;

	(void)state;
	for (u32 i = 0; i < 2 * FORM_TOKENS; i++) {
		snprintf(peer, sizeof(peer), "10.%u.%u.1", i >> 8 & 255, i & 255);
		show_form(FORM, NOW_S - FORM_PATIENT_S);
		if (judge(SLICE(""), peer, NOW_S) == FORM_LETS_IN)
			assert_int_equal(judge(SLICE(""), peer, NOW_S), FORM_NO_TOKEN);
		else
			many++;
	}
	assert_true(many >= FORM_TOKENS);
	/* And when their time is over there is room again. */
	assert_int_equal(let_in("192.0.2.77", NOW_S + FORM_SHOWN_S, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_proof_shortens_the_wait, set_up),
		cmocka_unit_test_setup(a_token_counts_once_for_its_form_and_for_its_time, set_up),
		cmocka_unit_test_setup(a_proof_is_of_one_token, set_up),
		cmocka_unit_test_setup(a_net_has_its_share_of_each_hour, set_up),
		cmocka_unit_test_setup(many_tokens_fill_its_memory_and_none_counts_twice, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
