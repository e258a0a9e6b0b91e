/* What holds of any report, whatever the message: for the tests and the fuzz target. */
#ifndef TESTS_SMTP_REPORT_CHECK_H
#define TESTS_SMTP_REPORT_CHECK_H

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "smtp/report.h"

static inline void check_text(struct slice s)
{
	ASSERT(s.ptr && utf8_is_valid(s));
	for (size_t i = 0; i < s.len; i++)
		ASSERT((u8)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f);
}

static inline void check_address(struct slice s)
{
	check_text(s);
	ASSERT(s.len <= REPORT_ADDRESS_MAX);
	ASSERT(s.len == 0 || slice_find_char(s, '@') >= 0);
}

static inline void check_recipient(const struct report *report,
				   const struct report_recipient *recipient)
{
	check_address(recipient->address);
	check_address(recipient->original);
	check_text(recipient->remote);
	check_text(recipient->diagnostic);
	ASSERT(recipient->diagnostic.len <= REPORT_DIAGNOSTIC_MAX);
	ASSERT(recipient->kind != REPORT_UNKNOWN && recipient->kind <= report->kind);
	ASSERT(recipient->status[0] <= 5 && recipient->status[1] <= 999 && recipient->status[2] <= 999);
	ASSERT(recipient->code == 0 || (recipient->code >= 400 && recipient->code < 600));
}

static inline void check_report(const struct report *report)
{
	u32 count = 0;

	ASSERT(!report->is_incomplete);
	for (const struct report_recipient *one = report->recipients; one; one = one->next) {
		check_recipient(report, one);
		count++;
	}
	ASSERT(count == (report->recipient_count < REPORT_RECIPIENTS_MAX ? report->recipient_count
									 : REPORT_RECIPIENTS_MAX));
	ASSERT((report->kind == REPORT_UNKNOWN) == (report->form == REPORT_FORM_NONE));
	ASSERT(!report->is_challenge || report->kind == REPORT_AUTO_REPLY);
	check_text(report->subject);
	check_address(report->from);
	check_text(report->reporting_mta);
	check_text(report->envelope_id);
	check_text(report->original.message_id);
	check_address(report->original.to);
	check_text(report->original.list_unsubscribe);
	check_text(report->feedback.type);
	check_text(report->feedback.user_agent);
	check_text(report->feedback.mail_from);
	check_text(report->feedback.source_ip);
	check_text(report->feedback.arrival_date);
	check_text(report->feedback.reported_domain);
}

static inline void read_and_check(struct arena *arena, struct slice message, struct report *report)
{
	arena_reset(arena);
	ASSERT(report_read(message, report, arena) == report->kind);
	check_report(report);
}

#endif
