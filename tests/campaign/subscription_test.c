/* What subscription.h and sign_up.h promise of contacts, lists and what the sender is told. */
#include "store/audience_fixture.h"

#include "campaign/sign_up.h"
#include "campaign/subscription.h"
#include "store/audience_activity.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "store/audience_sender_order.h"

#define NOW_MS 1796000000000ull
#define DAY_MS 86400000ull
#define ANN "ann@reader.test"

static u32 ann;
static struct audience_form form;
static bool changed;

static void add_list(const char *name)
{
	struct audience_list list = { .is_public = true, .name = slice_of(name) };

	must(audience_list_add(txn, &list));
}

static void add_ann(enum contact_state state)
{
	struct contact contact = { .state = state, .address = SLICE(ANN) };
	struct buf lists;

	buf_init(&lists, 100);
	contact_add_member(&lists, SLICE_NONE, &(struct contact_member){ 1, MEMBER_ACTIVE, 5 });
	contact.lists = buf_slice(&lists);
	must(contact_add(txn, &contact, SLICE(ANN)));
	buf_done(&lists);
	ann = contact.id;
}

static int set_up(void **state)
{
	if (audience_fixture_setup_writing(state) != 0)
		return -1;
	add_list("news");
	add_list("shop");
	form = (struct audience_form){ .is_open = true };
	form.of[FORM_NAME] = SLICE("f");
	form.of[FORM_LISTS] = SLICE("1,2");
	must(audience_form_put(txn, &form));
	return 0;
}

static void check(u32 id, enum contact_state state, int first, int second)
{
	struct contact_member member;
	struct contact contact;

	must(contact_get(txn, id, &contact));
	assert_int_equal(contact.state, state);
	assert_int_equal(contact_find_member(contact.lists, 1, &member) ? (int)member.state : 0,
			 first);
	assert_int_equal(contact_find_member(contact.lists, 2, &member) ? (int)member.state : 0,
			 second);
}

/* "s:news r: c:en", in order; and they are told then. */
static void check_told(const char *wanted)
{
	static const char kinds[] = "?src";
	struct sender_order order;
	char told[200] = "";
	u64 number = 0;

	while (sender_order_after(txn, number, &number, &order) == STORE_OK)
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%c:%.*s ",
			 kinds[order.kind], SLICE_FMT(order.list));
	assert_string_equal(told, wanted);
	must(sender_orders_delete(txn, number));
}

static u32 history_of(u32 id, enum history_kind kind)
{
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };
	u32 count = 0;

	while (contact_history_before(txn, id, event.at_ms, event.number, &event) == STORE_OK)
		count += event.kind == kind;
	return count;
}

static struct subscription_act act_on(u16 list)
{
	return (struct subscription_act){ .contact = ann,
					  .list = list,
					  .campaign = 7,
					  .now_ms = NOW_MS,
					  .how = SLICE("page") };
}

static u64 unsubscribed(void)
{
	u64 count;

	must(campaign_count_get(txn, 7, CAMPAIGN_UNSUBSCRIBED, 0, &count));
	return count;
}

/* ---- leaving ---- */

static void leaving_everything_is_once_and_keeps_the_lists(void **state)
{
	struct subscription_act act;

	(void)state;
	add_ann(CONTACT_ACTIVE);
	act = act_on(0);
	must(subscription_leave(txn, &act, &changed));
	assert_true(changed);
	must(subscription_leave(txn, &act, &changed));
	assert_false(changed);
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, 0);
	check_told("s: ");
	assert_int_equal(history_of(ann, HISTORY_UNSUBSCRIBED), 1);
	assert_int_equal(unsubscribed(), 1);
	must(subscription_return(txn, &act, &changed));
	assert_true(changed);
	check(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, 0);
	check_told("r: ");
	assert_int_equal(unsubscribed(), 0);
}

static void leaving_a_list_is_about_that_list(void **state)
{
	struct subscription_act act;

	(void)state;
	add_ann(CONTACT_ACTIVE);
	act = act_on(1);
	must(subscription_leave(txn, &act, &changed));
	check(ann, CONTACT_ACTIVE, MEMBER_LEFT, 0);
	check_told("s:news ");
	act.list = 2; /* one that it never was in */
	must(subscription_leave(txn, &act, &changed));
	check(ann, CONTACT_ACTIVE, MEMBER_LEFT, MEMBER_LEFT);
	act.list = 1;
	must(subscription_return(txn, &act, &changed));
	check(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, MEMBER_LEFT);
	check_told("s:shop r:news ");
}

static void who_complained_does_not_come_back_by_a_link(void **state)
{
	struct subscription_act act;

	(void)state;
	add_ann(CONTACT_COMPLAINED);
	act = act_on(0);
	must(subscription_return(txn, &act, &changed));
	assert_false(changed);
	must(subscription_leave(txn, &act, &changed));
	assert_false(changed);
	check(ann, CONTACT_COMPLAINED, MEMBER_ACTIVE, 0);
	act.contact = 4000;
	assert_int_equal(subscription_leave(txn, &act, &changed), STORE_NOT_FOUND);
}

static void what_others_change_is_told_to_the_sender_too(void **state)
{
	struct contact before = { .state = CONTACT_ACTIVE, .address = SLICE(ANN) };
	struct contact contact = before;
	struct buf were;
	struct buf are;

	(void)state;
	buf_init(&were, 100);
	buf_init(&are, 100);
	contact_add_member(&were, SLICE_NONE, &(struct contact_member){ 1, MEMBER_ACTIVE, 5 });
	contact_add_member(&are, SLICE_NONE, &(struct contact_member){ 1, MEMBER_LEFT, 5 });
	contact_add_member(&are, SLICE_NONE, &(struct contact_member){ 2, MEMBER_ACTIVE, 5 });
	before.lists = buf_slice(&were);
	contact.lists = buf_slice(&are);
	must(subscription_tell(txn, &before, &before));
	check_told("");
	must(subscription_tell(txn, &before, &contact));
	check_told("s:news ");
	must(subscription_tell(txn, &contact, &before));
	check_told("r:news ");
	contact = before;
	contact.state = CONTACT_UNSUBSCRIBED;
	must(subscription_tell(txn, &before, &contact));
	must(subscription_tell(txn, &contact, &before));
	check_told("s: r: ");
	/* Who complains is as good as gone; who fails after he left has not come back. */
	contact.state = CONTACT_COMPLAINED;
	must(subscription_tell(txn, &before, &contact));
	before.state = CONTACT_UNSUBSCRIBED;
	must(subscription_tell(txn, &before, &contact));
	contact.state = CONTACT_BOUNCED;
	must(subscription_tell(txn, &before, &contact));
	check_told("s: ");
	buf_done(&were);
	buf_done(&are);
}

/* ---- signing up ---- */

static void sign_up(const char *address, u64 now_ms)
{
	struct buf values;
	struct sign_up sent = { .form = form.id,
				.now_ms = now_ms,
				.address = slice_of(address),
				.key = slice_of(address),
				.peer = SLICE("192.0.2.1"),
				.agent = SLICE("Firefox"),
				.consent = SLICE("I agree"),
				.language = SLICE("en") };

	buf_init(&values, 100);
	contact_put_value(&values, 1, SLICE("x"));
	sent.values = buf_slice(&values);
	must(sign_up_keep(txn, &sent, &changed));
	buf_done(&values);
}

static void confirm(u32 contact)
{
	struct sign_up_confirmation confirmation = { .form = form.id,
						     .contact = contact,
						     .now_ms = NOW_MS + 1 };

	must(sign_up_confirm(txn, &confirmation, &changed));
}

static u32 id_of(const char *address)
{
	u32 id;

	must(contact_find(txn, slice_of(address), &id));
	return id;
}

static void a_stranger_waits_until_he_confirms(void **state)
{
	u32 id;

	(void)state;
	sign_up("new@reader.test", NOW_MS);
	id = id_of("new@reader.test");
	check(id, CONTACT_PENDING, MEMBER_PENDING, MEMBER_PENDING);
	check_told("c:en ");
	confirm(id);
	assert_true(changed);
	check(id, CONTACT_ACTIVE, MEMBER_ACTIVE, MEMBER_ACTIVE);
	check_told("r:news r:shop ");
	confirm(id);
	assert_false(changed);
	check_told("");
	assert_int_equal(history_of(id, HISTORY_CONSENT), 1);
	assert_int_equal(history_of(id, HISTORY_CONFIRMED), 1);
}

static void nobody_changes_a_contact_that_is_known_without_its_word(void **state)
{
	struct contact contact;

	(void)state;
	add_ann(CONTACT_ACTIVE);
	sign_up(ANN, NOW_MS);
	check(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, MEMBER_PENDING);
	must(contact_get(txn, ann, &contact));
	assert_int_equal(contact.values.len, 0);
	check_told("c:en ");
}

static void who_left_comes_back_by_confirming_and_not_by_an_old_link(void **state)
{
	struct subscription_act act;

	(void)state;
	add_ann(CONTACT_UNSUBSCRIBED);
	sign_up(ANN, NOW_MS);
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, MEMBER_PENDING);
	check_told("c:en ");
	confirm(ann);
	check(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, MEMBER_ACTIVE);
	check_told("r: r:news r:shop ");
	sign_up(ANN, NOW_MS);
	act = act_on(0);
	must(subscription_leave(txn, &act, &changed));
	check_told("c:en s: ");
	confirm(ann); /* by the mail of before */
	assert_false(changed);
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, MEMBER_ACTIVE);
}

static void what_waited_when_somebody_left_waits_no_more(void **state)
{
	struct subscription_act act;

	(void)state;
	add_ann(CONTACT_ACTIVE);
	sign_up(ANN, NOW_MS);
	act = act_on(0);
	must(subscription_leave(txn, &act, &changed));
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, MEMBER_LEFT);
	confirm(ann);
	assert_false(changed);
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, MEMBER_LEFT);
}

static void an_address_is_asked_three_times_a_day(void **state)
{
	(void)state;
	for (u32 i = 0; i < 10; i++)
		sign_up("new@reader.test", NOW_MS + i);
	check_told("c:en c:en c:en ");
	sign_up("new@reader.test", NOW_MS + 3 + DAY_MS);
	check_told("c:en ");
}

static void who_complained_is_not_asked(void **state)
{
	(void)state;
	add_ann(CONTACT_COMPLAINED);
	sign_up(ANN, NOW_MS);
	check(ann, CONTACT_COMPLAINED, MEMBER_ACTIVE, 0);
	check_told("");
}

static void without_double_opt_in_only_strangers_come_in_at_once(void **state)
{
	(void)state;
	add_ann(CONTACT_UNSUBSCRIBED);
	form.is_single = true;
	must(audience_form_put(txn, &form));
	sign_up("new@reader.test", NOW_MS);
	check(id_of("new@reader.test"), CONTACT_ACTIVE, MEMBER_ACTIVE, MEMBER_ACTIVE);
	check_told("");
	sign_up(ANN, NOW_MS);
	check(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, MEMBER_PENDING);
	check_told("c:en ");
}

static void a_forms_texts_are_looked_at(void **state)
{
	static const struct {
		enum form_text text;
		const char *value;
		enum sign_up_problem problem;
	} rows[] = {
		{ FORM_NAME, "", SIGN_UP_MISSING },
		{ FORM_NAME, "confirm", SIGN_UP_BAD_NAME },
		{ FORM_NAME, "1st", SIGN_UP_BAD_NAME },
		{ FORM_NAME, "a/b", SIGN_UP_BAD_NAME },
		{ FORM_LISTS, "1,,2", SIGN_UP_BAD_IDS },
		{ FORM_LISTS, "70000", SIGN_UP_BAD_IDS },
		{ FORM_FIELDS, "1*,x", SIGN_UP_BAD_IDS },
		{ FORM_FROM, "nobody", SIGN_UP_BAD_ADDRESS },
		{ FORM_REDIRECT, "javascript:alert(1)", SIGN_UP_BAD_URL },
		{ FORM_REDIRECT, "https://a.example/\r\nSet-Cookie: x", SIGN_UP_CONTROL },
		{ FORM_ORIGINS, "https://a.example\nhttps://b.example/x", SIGN_UP_BAD_ORIGIN },
		{ FORM_COLOUR, "red", SIGN_UP_BAD_COLOUR },
		{ FORM_TITLE_JA, "a\nb", SIGN_UP_CONTROL },
		{ FORM_TITLE_JA, "\xff", SIGN_UP_CONTROL },
		{ FORM_REDIRECT, "https://a.example/thanks?x=1", SIGN_UP_GOOD },
		{ FORM_ORIGINS, "https://a.example\r\n\nhttp://b.example:8080", SIGN_UP_GOOD },
		{ FORM_FIELDS, "1*, 2", SIGN_UP_GOOD },
		{ FORM_INTRO_EN, "a\nb", SIGN_UP_GOOD },
	};
	enum form_text text;

	(void)state;
	form.of[FORM_FROM] = SLICE("飛脚 <news@shop.example>");
	for (size_t i = 0; i < array_count(rows); i++) {
		struct audience_form one = form;

		one.of[rows[i].text] = slice_of(rows[i].value);
		assert_int_equal(sign_up_check(&one, &text), rows[i].problem);
		if (rows[i].problem != SIGN_UP_GOOD)
			assert_int_equal(text, rows[i].text);
	}
	form.of[FORM_FROM] = SLICE_NONE;
	assert_int_equal(sign_up_check(&form, &text), SIGN_UP_MISSING);
	assert_int_equal(text, FORM_FROM);
}

static void forms_come_back_as_they_were_kept(void **state)
{
	struct audience_form other = { .is_single = true, .created_ms = 5, .changed_ms = 6 };
	struct audience_form back;

	(void)state;
	other.of[FORM_NAME] = SLICE("g");
	other.of[FORM_MAIL_EN] = SLICE("text");
	must(audience_form_put(txn, &other));
	must(audience_form_find(txn, SLICE("g"), &back));
	assert_int_equal(back.id, other.id);
	assert_true(back.is_single && !back.is_open && back.changed_ms == 6);
	assert_true(slice_equal(back.of[FORM_MAIL_EN], SLICE("text")));
	assert_int_equal(back.of[FORM_TITLE_JA].len, 0);
	must(audience_form_delete(txn, other.id));
	assert_int_equal(audience_form_find(txn, SLICE("g"), &back), STORE_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, audience_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaving_everything_is_once_and_keeps_the_lists),
		TEST(leaving_a_list_is_about_that_list),
		TEST(who_complained_does_not_come_back_by_a_link),
		TEST(what_others_change_is_told_to_the_sender_too),
		TEST(a_stranger_waits_until_he_confirms),
		TEST(nobody_changes_a_contact_that_is_known_without_its_word),
		TEST(who_left_comes_back_by_confirming_and_not_by_an_old_link),
		TEST(what_waited_when_somebody_left_waits_no_more),
		TEST(an_address_is_asked_three_times_a_day),
		TEST(who_complained_is_not_asked),
		TEST(without_double_opt_in_only_strangers_come_in_at_once),
		TEST(a_forms_texts_are_looked_at),
		TEST(forms_come_back_as_they_were_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
