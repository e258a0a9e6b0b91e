/* What senders of letters are told: once, whatever crashes, and only when they want to know. */
#include "planner_fixture.h"

#include "delivery/inbound.h"
#include "delivery/planner_letter.h"
#include "message/message.h"
#include "smtp/report.h"

#define ANY "address \"any\" { ehlo = \"mail.a.example\" }"
#define MAIL                                                                                       \
	"From: a@a.example\nTo: x@x.test\nSubject: hi\nDate: Mon, 30 Nov 2026 10:00:00 +0900\n"      \
	"Message-ID: <1@a.example>\n\nhello there\n"
#define HOUR_S 3600ull

static struct arena arena;

/* ---- a store that has no room for a notice's head, so many times ---- */

static u32 refusals;

enum store_result __real_queue_letter_put(struct queue *queue, const struct queue_letter *letter);
enum store_result __wrap_queue_letter_put(struct queue *queue, const struct queue_letter *letter);

enum store_result __wrap_queue_letter_put(struct queue *queue, const struct queue_letter *letter)
{
	if (letter->kind != LETTER_NOTICE || letter->delivered + letter->failed > 0 ||
	    refusals == 0)
		return __real_queue_letter_put(queue, letter);
	refusals--;
	return STORE_FULL;
}

/* ---- bringing a letter ---- */

struct wish {
	u8 notify;
	u8 ret;
	u8 kind;
	const char *sender;
	u32 count;
	u64 expire_after_ms;
};

static const struct wish usual = { .kind = LETTER_SUBMITTED, .sender = "a@a.example", .count = 1 };

struct bringer {
	struct letter_wait wait;
	bool is_kept;
};

static void on_done(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	if (result != LETTER_KEPT)
		fail_msg("result %d: %s", result, sentence);
	container_of(wait, struct bringer, wait)->is_kept = true;
}

/* A letter to r0@x.test, r1@x.test...; kept. */
static struct row_id bring(struct fixture *f, const char *key, const struct wish *wish)
{
	const struct planner_options options = { .literal = true };
	struct letter_recipient to[4];
	char addresses[4][64];
	struct buf packed;
	struct bringer b = { .wait.done = on_done };

	buf_init(&packed, 256);
	planner_options_pack(&options, &packed);
	for (u32 i = 0; i < wish->count; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "r%u@x.test", i);
		to[i] = (struct letter_recipient){ .address = slice_of(addresses[i]),
						   .notify = wish->notify,
						   .orcpt = SLICE("rfc822;Rr+2B@x.test") };
	}
	b.wait.letter = (struct letter){
		.key = slice_of(key),
		.customer = SLICE("a.example"),
		.kind = wish->kind,
		.ret = wish->ret,
		.sender = slice_of(wish->sender),
		.envid = SLICE("id+3D7"),
		.source = { .whole = SLICE(MAIL), .options = buf_slice(&packed) },
		.recipients = to,
		.recipient_count = wish->count,
		.expire_after_ms = wish->expire_after_ms,
	};
	planner_letter_add(f->planner, &b.wait);
	settle(f);
	assert_true(b.is_kept);
	buf_done(&packed);
	return b.wait.id;
}

static void open_it(struct fixture *f)
{
	fixture_open(f, ANY, "");
	zone_set("x.test", MX_OK, 86400 * 9, "mx.test=20.0.0.1");
	zone_set("a.example", MX_OK, 86400 * 9, "mx.a.example=20.0.0.9");
	settle(f);
}

/* What the worker was given is gone with it. */
static void restart(struct fixture *f)
{
	while (next_lease(f))
		;
	start_again(f);
}

/* ---- what receivers answer ---- */

static struct lease *must_lend_to(struct fixture *f, const char *address)
{
	struct lease *lease;

	settle(f);
	lease = next_lease(f);
	assert_non_null(lease);
	if (!slice_equal(lease->address, slice_of(address)))
		fail_msg("lent to %.*s", SLICE_FMT(lease->address));
	return lease;
}

static void answer(struct fixture *f, struct lease *lease, enum smtp_verdict verdict, u16 code,
		   const char *words)
{
	lease->stage = SMTP_STAGE_RCPT;
	lease->code = code;
	lease->host = lease->path->targets[0].address;
	give_back(f, lease, verdict, words);
	settle(f);
}

static void refuse(struct fixture *f, const char *address)
{
	answer(f, must_lend_to(f, address), SMTP_VERDICT_PERMANENT, 550, "5.1.1 User unknown");
}

/* ---- what was told ---- */

/* How many notices there are; *newest is the last one's text, valid until the next call. */
static u32 notices(struct fixture *f, struct slice *newest)
{
	struct queue *queue = planner_queue(f->planner);
	struct queue_letter letter = { 0 };
	struct planner_source source;
	struct slice content;
	u32 count = 0;

	arena_reset(&arena);
	*newest = SLICE_NONE;
	assert_int_equal(queue_begin(queue), STORE_OK);
	while (queue_letter_next(queue, letter.campaign, letter.number, &letter) == STORE_OK) {
		if (letter.kind != LETTER_NOTICE)
			continue;
		count++;
		assert_int_equal(letter.sender.len, 0);
		if (queue_letter_content_get(queue, letter.campaign, letter.number, &content) !=
		    STORE_OK)
			continue;
		assert_true(letter_source_unpack(content, &source));
		*newest = arena_copy(&arena, source.whole);
	}
	queue_abort(queue);
	return count;
}

/* There is exactly this one notice; read by our own reader of reports. */
static struct report must_be_told(struct fixture *f, struct slice *text)
{
	struct report report;

	assert_int_equal(notices(f, text), 1);
	report_read(*text, &report, &arena);
	assert_int_equal(report.form, REPORT_FORM_DSN);
	return report;
}

static void nobody_is_told(struct fixture *f)
{
	struct slice text;

	assert_int_equal(notices(f, &text), 0);
	fixture_close(f);
}

static bool has(struct slice text, const char *what)
{
	return slice_find(text, slice_of(what)) >= 0;
}

/* ---- tests ---- */

static void a_failure_is_told_to_the_sender_in_a_letter_without_sender(void **state)
{
	struct report report;
	struct slice text;
	struct lease *lease;
	struct fixture f;

	(void)state;
	open_it(&f);
	bring(&f, "1", &usual);
	refuse(&f, "r0@x.test");
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_HARD);
	assert_true(slice_equal(report.recipients->address, SLICE("r0@x.test")));
	assert_true(slice_equal(report.recipients->original, SLICE("Rr+@x.test")));
	assert_true(slice_equal(report.recipients->remote, SLICE("mx.test")));
	assert_true(has(report.recipients->diagnostic, "User unknown"));
	assert_true(slice_equal(report.envelope_id, SLICE("id=7")));
	assert_true(slice_equal(report.reporting_mta, SLICE("mail.a.example")));
	assert_true(slice_equal(report.original.message_id, SLICE("1@a.example")));
	assert_true(slice_equal(report.from, SLICE("postmaster@a.example")));
	assert_false(has(text, "hello there"));
	lease = must_lend_to(&f, "a@a.example");
	assert_true(lease->mailing->has_null_sender);
	assert_true(lease->is_urgent);
	/* What becomes of the notice itself is told to nobody. */
	answer(&f, lease, SMTP_VERDICT_PERMANENT, 550, "5.1.1 User unknown");
	assert_int_equal(notices(&f, &text), 1);
	assert_null(next_lease(&f));
	fixture_close(&f);
}

/* The letter's only row is taken by a receiver; *to is where a bounce would go. */
static void deliver(struct fixture *f, char to[128])
{
	struct lease *lease = must_lend_to(f, "r0@x.test");
	struct buf sender;

	buf_init(&sender, 127);
	mailing_add_sender(lease->mailing, &lease->ref.id, &sender);
	slice_copy(to, 128, buf_slice(&sender));
	buf_done(&sender);
	answer(f, lease, SMTP_VERDICT_ACCEPTED, 250, "ok");
}

/* A host far away says later that the recipient has no mailbox. */
static void bounce(struct fixture *f, const char *to, const char *key)
{
	struct inbound_report report = {
		.key = slice_of(key),
		.to = { slice_of(to) },
		.to_count = 1,
		.kind = REPORT_HARD,
		.form = REPORT_FORM_DSN,
		.people = { { .kind = REPORT_HARD, .reason = REPORT_REASON_MAILBOX,
			      .address = SLICE("r0@x.test"), .host = SLICE("far.test"),
			      .words = SLICE("gone to Nara"), .status = { 5, 1, 1 }, .code = 550 } },
		.people_count = 1,
	};
	const struct inbound_report *one = &report;
	enum inbound_result result;
	struct error error = { "" };

	if (!planner_inbound(f->planner, &one, 1, &result, &error))
		fail_msg("%s", error.text);
	assert_int_equal(result, INBOUND_BOUNCED);
}

static void one_that_comes_back_later_is_told_once(void **state)
{
	struct report report;
	struct slice text;
	struct fixture f;
	char to[128];

	(void)state;
	open_it(&f);
	bring(&f, "1", &usual);
	deliver(&f, to);
	assert_int_equal(notices(&f, &text), 0);
	bounce(&f, to, "report/1");
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_HARD);
	assert_true(slice_equal(report.recipients->address, SLICE("r0@x.test")));
	assert_true(slice_equal(report.recipients->remote, SLICE("far.test")));
	assert_true(has(report.recipients->diagnostic, "gone to Nara"));
	bounce(&f, to, "report/2");
	assert_int_equal(notices(&f, &text), 1);
	must_lend_to(&f, "a@a.example");
	fixture_close(&f);
}

static void who_wants_no_notice_hears_of_no_later_bounce_either(void **state)
{
	struct wish wish = usual;
	struct fixture f;
	char to[128];

	(void)state;
	open_it(&f);
	wish.notify = LETTER_NOTIFY_NEVER;
	bring(&f, "1", &wish);
	deliver(&f, to);
	bounce(&f, to, "report/1");
	nobody_is_told(&f);
}

static void who_wants_none_or_has_no_sender_is_told_nothing(void **state)
{
	static const struct wish wishes[] = {
		{ .kind = LETTER_SUBMITTED, .sender = "", .count = 1 },
		{ .kind = LETTER_SUBMITTED, .sender = "a@a.example", .count = 1,
		  .notify = LETTER_NOTIFY_NEVER },
		{ .kind = LETTER_SUBMITTED, .sender = "a@a.example", .count = 1,
		  .notify = LETTER_NOTIFY_DELAY | LETTER_NOTIFY_SUCCESS },
		{ .kind = LETTER_REPORT, .sender = "a@a.example", .count = 1 },
		{ .kind = LETTER_FORWARD, .sender = "a@a.example", .count = 1 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < array_count(wishes); i++) {
		open_it(&f);
		bring(&f, "1", &wishes[i]);
		refuse(&f, "r0@x.test");
		assert_int_equal(metric_get(&f.planner->m->forwards_failed), i + 1 == array_count(wishes));
		nobody_is_told(&f);
	}
}

static void success_is_told_as_relayed_and_only_when_wanted(void **state)
{
	struct wish wish = usual;
	struct report report;
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	bring(&f, "1", &wish);
	answer(&f, must_lend_to(&f, "r0@x.test"), SMTP_VERDICT_ACCEPTED, 250, "2.0.0 Ok");
	nobody_is_told(&f);
	open_it(&f);
	wish.notify = LETTER_NOTIFY_SUCCESS;
	bring(&f, "1", &wish);
	answer(&f, must_lend_to(&f, "r0@x.test"), SMTP_VERDICT_ACCEPTED, 250, "2.0.0 Ok");
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_NOTICE);
	assert_true(has(text, "\r\nAction: relayed\r\nStatus: 2.0.0\r\n"));
	fixture_close(&f);
}

static void recipients_that_fail_together_are_told_of_together(void **state)
{
	struct wish wish = usual;
	struct report report;
	struct lease *leases[3];
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	wish.count = 3;
	wish.ret = LETTER_RET_FULL;
	bring(&f, "1", &wish);
	for (u32 i = 0; i < 3; i++)
		assert_non_null(leases[i] = next_lease(&f));
	for (u32 i = 0; i < 3; i++) {
		leases[i]->code = i == 1 ? 250 : 550;
		give_back(&f, leases[i],
			  i == 1 ? SMTP_VERDICT_ACCEPTED : SMTP_VERDICT_PERMANENT, "5.1.1 no");
	}
	settle(&f);
	report = must_be_told(&f, &text);
	assert_int_equal(report.recipient_count, 2);
	/* The last row took the letter's content with it, and still it comes back. */
	assert_true(has(text, "\r\nhello there\r\n"));
	fixture_close(&f);
}

static void a_letter_whose_time_is_over_comes_back_as_expired(void **state)
{
	struct wish wish = usual;
	struct report report;
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	wish.expire_after_ms = 25 * MS_PER_S;
	bring(&f, "1", &wish);
	for (u32 i = 0; i < 4; i++) {
		struct lease *lease = next_lease(&f);

		if (!lease)
			break;
		answer(&f, lease, SMTP_VERDICT_TEMPORARY, 451, "4.3.0 later");
		if (i < 3)
			pass(&f, 11);
	}
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_SOFT);
	assert_int_equal(report.recipients->reason, REPORT_REASON_EXPIRED);
	assert_true(has(text, "\r\nStatus: 5.4.7\r\n"));
	assert_true(has(text, "451 4.3.0 later"));
	fixture_close(&f);
}

/* Everything that is lent within that time is put off, but for notices: how many there were. */
static u32 put_off_for(struct fixture *f, u64 seconds)
{
	u32 count = 0;

	for (u64 at = 0; at < seconds; at += 60) {
		struct lease *lease;

		pass(f, 60);
		while ((lease = next_lease(f))) {
			count += lease->mailing->has_null_sender;
			if (lease->mailing->has_null_sender)
				answer(f, lease, SMTP_VERDICT_ACCEPTED, 250, "ok");
			else
				answer(f, lease, SMTP_VERDICT_TEMPORARY, 451, "4.2.1 busy");
		}
	}
	return count;
}

static void a_delay_is_told_once_when_its_hour_has_come(void **state)
{
	static const u64 day[] = { 86400 * MS_PER_S };
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	f.config.retry.classes[SMTP_CLASS_UNKNOWN].schedule = (struct config_durations){ day, 1 };
	f.config.retry.classes[SMTP_CLASS_TRANSIENT_HOST].schedule =
		(struct config_durations){ day, 1 };
	bring(&f, "1", &usual);
	assert_int_equal(put_off_for(&f, 4 * HOUR_S - 600), 0);
	/* Tried a last time then, long before the schedule would have it. */
	pass(&f, 660);
	answer(&f, must_lend_to(&f, "r0@x.test"), SMTP_VERDICT_TEMPORARY, 451, "4.2.1 busy");
	assert_int_equal(must_be_told(&f, &text).kind, REPORT_DELAYED);
	assert_true(has(text, "\r\nWill-Retry-Until: "));
	restart(&f);
	/* The row is put off again a day later, by the schedule, and that is not told. */
	assert_int_equal(put_off_for(&f, 26 * HOUR_S), 1);
	fixture_close(&f);
}

static void a_delay_is_not_told_to_who_did_not_ask_for_it(void **state)
{
	struct wish wish = usual;
	struct fixture f;

	(void)state;
	open_it(&f);
	wish.notify = LETTER_NOTIFY_FAILURE;
	bring(&f, "1", &wish);
	assert_int_equal(put_off_for(&f, 5 * HOUR_S), 0);
	nobody_is_told(&f);
	open_it(&f);
	f.config.retry.delay_notice_ms = 0;
	bring(&f, "1", &usual);
	assert_int_equal(put_off_for(&f, 5 * HOUR_S), 0);
	nobody_is_told(&f);
}

static void a_domain_that_takes_no_mail_is_told_of_in_our_own_words(void **state)
{
	struct report report;
	struct slice text;
	struct fixture f;

	(void)state;
	fixture_open(&f, ANY, "");
	zone_set("x.test", MX_NULL, 1000, "");
	zone_set("a.example", MX_OK, 86400, "mx.a.example=20.0.0.9");
	settle(&f);
	bring(&f, "1", &usual);
	settle(&f);
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_HARD);
	assert_int_equal(report.recipients->remote.len, 0);
	assert_true(has(text, "\r\nDiagnostic-Code: x-hikyaku; "));
	fixture_close(&f);
}

static void who_is_suppressed_is_not_lost_in_silence(void **state)
{
	const struct planner_suppress_order order = { .address = SLICE("r0@x.test"),
						      .reason = SUPPRESSION_MANUAL,
						      .text = SLICE("he asked for it") };
	struct error error = { "" };
	struct report report;
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	assert_true(planner_suppress(f.planner, &order, 1, &error));
	bring(&f, "1", &usual);
	settle(&f);
	report = must_be_told(&f, &text);
	assert_int_equal(report.kind, REPORT_SOFT);
	fixture_close(&f);
}

static void a_failure_that_is_found_in_the_journal_is_told_once(void **state)
{
	struct report report;
	struct lease *lease;
	struct slice text;
	struct fixture f;

	(void)state;
	open_it(&f);
	bring(&f, "1", &usual);
	lease = must_lend_to(&f, "r0@x.test");
	lease->slot->verdict = SMTP_VERDICT_PERMANENT;
	lease->slot->code = 550;
	atomic_store(&lease->slot->state, JOURNAL_ANSWERED);
	restart(&f);
	settle(&f);
	report = must_be_told(&f, &text);
	assert_true(slice_equal(report.recipients->address, SLICE("r0@x.test")));
	restart(&f);
	settle(&f);
	assert_int_equal(notices(&f, &text), 1);
	/* It was out when the machine died: the same notice may go again, no second one is made. */
	lease = must_lend_to(&f, "a@a.example");
	restart(&f);
	answer(&f, must_lend_to(&f, "a@a.example"), SMTP_VERDICT_ACCEPTED, 250, "ok");
	assert_int_equal(notices(&f, &text), 1);
	fixture_close(&f);
}

static void a_result_that_finds_no_room_for_its_notice_waits_with_it(void **state)
{
	struct queue_letter letter;
	struct slice text;
	struct row_id id;
	struct fixture f;

	(void)state;
	open_it(&f);
	id = bring(&f, "1", &usual);
	refusals = 3;
	refuse(&f, "r0@x.test");
	for (int i = 0; i < 20 && refusals > 0; i++) {
		assert_int_equal(queue_begin(planner_queue(f.planner)), STORE_OK);
		assert_int_equal(queue_letter_get(planner_queue(f.planner), id.campaign, id.domain,
						  &letter), STORE_OK);
		assert_int_equal(letter.failed, 0);
		queue_abort(planner_queue(f.planner));
		assert_int_equal(notices(&f, &text), 0);
		pass(&f, 1);
	}
	assert_int_equal(refusals, 0);
	pass(&f, 2);
	assert_int_equal(must_be_told(&f, &text).recipient_count, 1);
	assert_int_equal(campaign_of(&f, id.campaign).failed, 1);
	fixture_close(&f);
}

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, REPORT_ARENA_CHUNK, 8u << 20);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_told_to_the_sender_in_a_letter_without_sender),
		cmocka_unit_test(one_that_comes_back_later_is_told_once),
		cmocka_unit_test(who_wants_no_notice_hears_of_no_later_bounce_either),
		cmocka_unit_test(who_wants_none_or_has_no_sender_is_told_nothing),
		cmocka_unit_test(success_is_told_as_relayed_and_only_when_wanted),
		cmocka_unit_test(recipients_that_fail_together_are_told_of_together),
		cmocka_unit_test(a_letter_whose_time_is_over_comes_back_as_expired),
		cmocka_unit_test(a_delay_is_told_once_when_its_hour_has_come),
		cmocka_unit_test(a_delay_is_not_told_to_who_did_not_ask_for_it),
		cmocka_unit_test(a_domain_that_takes_no_mail_is_told_of_in_our_own_words),
		cmocka_unit_test(who_is_suppressed_is_not_lost_in_silence),
		cmocka_unit_test(a_failure_that_is_found_in_the_journal_is_told_once),
		cmocka_unit_test(a_result_that_finds_no_room_for_its_notice_waits_with_it),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
