#include "store/audience_fixture.h"

#include "base/text.h"
#include "store/audience_account.h"
#include "store/audience_audit.h"

static u32 add(const char *email, enum account_role role, u32 flags)
{
	struct account account = { .role = role, .flags = flags };

	slice_copy(account.email, sizeof(account.email), slice_of(email));
	assert_int_equal(account_put(txn, &account), STORE_OK);
	assert_int_not_equal(account.id, 0);
	return account.id;
}

static void an_account_comes_back_as_it_was_put(void **state)
{
	struct account put = { .role = ACCOUNT_EDITOR,
			       .flags = ACCOUNT_HAS_TOTP | ACCOUNT_MAY_EXPORT,
			       .language = 2,
			       .made_ms = 1,
			       .signed_in_ms = 2,
			       .totp_step = 3,
			       .secret_len = 20,
			       .recovery_count = 2,
			       .invited_until_ms = UINT64_MAX };
	struct account got;

	(void)state;
	slice_copy(put.email, sizeof(put.email), SLICE("mori@shop.example"));
	slice_copy(put.name, sizeof(put.name), SLICE("\xe6\xa3\xae"));
	slice_copy(put.password, sizeof(put.password), SLICE("$scrypt$x"));
	for (u32 i = 0; i < sizeof(put.secret); i++)
		put.secret[i] = i < put.secret_len ? (u8)(i + 1) : 0;
	put.recovery[0][0] = 9;
	put.recovery[1][15] = 8;
	put.invitation[3] = 7;
	assert_int_equal(account_put(txn, &put), STORE_OK);
	assert_int_equal(account_get(txn, SLICE("MORI@Shop.Example"), &got), STORE_OK);
	assert_int_equal(got.id, put.id);
	assert_int_equal(got.role, put.role);
	assert_int_equal(got.flags, put.flags);
	assert_int_equal(got.language, 2);
	assert_int_equal(got.totp_step, 3);
	assert_int_equal(got.invited_until_ms, UINT64_MAX);
	assert_string_equal(got.name, put.name);
	assert_string_equal(got.password, put.password);
	assert_memory_equal(got.secret, put.secret, sizeof(put.secret));
	assert_memory_equal(got.recovery, put.recovery, sizeof(put.recovery));
	assert_memory_equal(got.invitation, put.invitation, sizeof(put.invitation));
	assert_int_equal(account_get(txn, SLICE("mori@shop.exampl"), &got), STORE_NOT_FOUND);
	assert_int_equal(account_get(txn, SLICE(""), &got), STORE_NOT_FOUND);
}

static void accounts_are_walked_and_owners_are_counted(void **state)
{
	struct account account;
	u32 owners;
	u32 second;

	(void)state;
	add("b@x.test", ACCOUNT_OWNER, ACCOUNT_IS_BLOCKED);
	second = add("a@x.test", ACCOUNT_OWNER, 0);
	add("c@x.test", ACCOUNT_VIEWER, 0);
	assert_int_equal(account_count_owners(txn, &owners), STORE_OK);
	assert_int_equal(owners, 1);
	assert_int_equal(account_after(txn, SLICE(""), &account), STORE_OK);
	assert_string_equal(account.email, "a@x.test");
	assert_int_equal(account_after(txn, SLICE("a@x.test"), &account), STORE_OK);
	assert_string_equal(account.email, "b@x.test");
	assert_int_equal(account_after(txn, SLICE("c@x.test"), &account), STORE_NOT_FOUND);
	assert_int_equal(account_get_by_id(txn, second, &account), STORE_OK);
	assert_string_equal(account.email, "a@x.test");
	assert_int_equal(account_get_by_id(txn, 0, &account), STORE_NOT_FOUND);
}

static struct account_session session_of(u8 number, u32 user, u64 seen_ms)
{
	struct account_session session = { .digest = { number }, .user = user, .made_ms = 1000,
					   .seen_ms = seen_ms };

	slice_copy(session.email, sizeof(session.email), SLICE("a@x.test"));
	slice_copy(session.agent, sizeof(session.agent), SLICE("browser"));
	assert_int_equal(account_session_put(txn, &session), STORE_OK);
	return session;
}

static void a_session_ends_when_nobody_uses_it_and_when_it_is_old(void **state)
{
	const u64 seen_ms = 5000;
	struct account_session one = session_of(1, 1, seen_ms);
	struct account_session got;

	(void)state;
	assert_int_equal(account_session_get(txn, one.digest, seen_ms + SESSION_IDLE_MS - 1, &got),
			 STORE_OK);
	assert_string_equal(got.agent, "browser");
	assert_int_equal(account_session_get(txn, one.digest, seen_ms + SESSION_IDLE_MS, &got),
			 STORE_NOT_FOUND);
	one.seen_ms = 1000 + SESSION_AGE_MS - 1;
	assert_int_equal(account_session_put(txn, &one), STORE_OK);
	assert_int_equal(account_session_get(txn, one.digest, 1000 + SESSION_AGE_MS - 1, &got),
			 STORE_OK);
	assert_int_equal(account_session_get(txn, one.digest, 1000 + SESSION_AGE_MS, &got),
			 STORE_NOT_FOUND);
}

static void sessions_of_a_user_end_together_but_for_the_one_that_is_used(void **state)
{
	struct account_session mine = session_of(1, 1, 5000);
	struct account_session other = session_of(2, 1, 5000);
	struct account_session anothers = session_of(3, 2, 5000);
	struct account_session got;
	struct account account = { .id = 2 };

	(void)state;
	assert_int_equal(account_session_sweep(txn, 1, UINT64_MAX, mine.digest), STORE_OK);
	assert_int_equal(account_session_get(txn, mine.digest, 6000, &got), STORE_OK);
	assert_int_equal(account_session_get(txn, other.digest, 6000, &got), STORE_NOT_FOUND);
	assert_int_equal(account_session_get(txn, anothers.digest, 6000, &got), STORE_OK);
	add("z@x.test", ACCOUNT_VIEWER, 0);
	slice_copy(account.email, sizeof(account.email), SLICE("z@x.test"));
	assert_int_equal(account_delete(txn, &account), STORE_OK);
	assert_int_equal(account_session_get(txn, anothers.digest, 6000, &got), STORE_NOT_FOUND);
	assert_int_equal(account_session_delete(txn, anothers.digest), STORE_OK);
	assert_int_equal(account_session_sweep(txn, 0, 5000 + SESSION_IDLE_MS, NULL), STORE_OK);
	assert_int_equal(account_session_get(txn, mine.digest, 6000, &got), STORE_NOT_FOUND);
}

static void note(u64 at_ms, const char *object)
{
	const struct audit_entry entry = { .at_ms = at_ms,
					   .who = SLICE("user mori"),
					   .action = SLICE("x.y"),
					   .object = slice_of(object) };

	assert_int_equal(audit_add(txn, &entry), STORE_OK);
}

static void the_audit_log_is_read_from_its_end_and_old_entries_go(void **state)
{
	struct audit_entry entry;
	char text[3 * AUDIT_TEXT_MAX];

	(void)state;
	note(10, "first");
	note(10, "second");
	note(11, "third");
	assert_int_equal(audit_before(txn, UINT64_MAX, 0, &entry), STORE_OK);
	assert_true(slice_equal(entry.object, SLICE("third")));
	assert_int_equal(audit_before(txn, entry.at_ms, entry.number, &entry), STORE_OK);
	assert_true(slice_equal(entry.object, SLICE("second")));
	assert_true(slice_equal(entry.from, SLICE("")));
	assert_int_equal(audit_before(txn, entry.at_ms, entry.number, &entry), STORE_OK);
	assert_true(slice_equal(entry.object, SLICE("first")));
	assert_int_equal(audit_before(txn, entry.at_ms, entry.number, &entry), STORE_NOT_FOUND);

	/* A text that is cut is not cut within a character. */
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe6\xa3\xae", 4);
	note(11 + AUDIT_KEPT_MS, text);
	assert_int_equal(audit_before(txn, UINT64_MAX, 0, &entry), STORE_OK);
	assert_int_equal(entry.object.len, AUDIT_TEXT_MAX / 3 * 3);
	/* Those of time 10 are too old now; what is just as old as may be stays. */
	assert_int_equal(audit_before(txn, entry.at_ms, entry.number, &entry), STORE_OK);
	assert_true(slice_equal(entry.object, SLICE("third")));
	assert_int_equal(audit_before(txn, entry.at_ms, entry.number, &entry), STORE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(an_account_comes_back_as_it_was_put),
		audience_writing_test(accounts_are_walked_and_owners_are_counted),
		audience_writing_test(a_session_ends_when_nobody_uses_it_and_when_it_is_old),
		audience_writing_test(sessions_of_a_user_end_together_but_for_the_one_that_is_used),
		audience_writing_test(the_audit_log_is_read_from_its_end_and_old_entries_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
