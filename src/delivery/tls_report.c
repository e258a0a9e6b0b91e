#include "delivery/tls_report.h"

#include "base/clock.h"
#include "base/gzip.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 57 /* that become 76 characters of base64 */
#define STAMP_SIZE 24

/* "2026-11-25T23:59:59Z" */
static void write_stamp(char out[STAMP_SIZE], u64 ms)
{
	struct clock_date d;

	clock_date_of(ms, &d);
	snprintf(out, STAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", d.year, d.month, d.day, d.hour,
		 d.minute, d.second);
}

void tls_report_id(const struct tls_report *report, char out[TLS_REPORT_ID_SIZE])
{
	struct clock_date d;

	clock_date_of(report->day * TLS_DAY_MS, &d);
	snprintf(out, TLS_REPORT_ID_SIZE, "%04u%02u%02u.%.255s@%.255s", d.year, d.month, d.day,
		 report->domain, report->submitter);
}

/* ---- JSON ---- */

static json_t *lines_of(const char *text)
{
	struct slice rest = slice_of(text);
	json_t *list = json_array();

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');

		json_array_append_new(list, json_stringn(line.ptr, line.len));
	}
	return list;
}

static json_t *policy_of(const struct tls_report *report, const struct tls_policy *policy)
{
	json_t *object = json_pack("{s:s, s:s}", "policy-type", tls_policy_type_name(policy->type),
				   "policy-domain", report->domain);

	if (policy->type != TLS_POLICY_NONE)
		json_object_set_new(object, "policy-string", lines_of(policy->strings));
	if (policy->type == TLS_POLICY_STS)
		json_object_set_new(object, "mx-host", lines_of(policy->hosts));
	return object;
}

static void set_address(json_t *object, const char *name, const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_SIZE];

	if (address->family == 0)
		return;
	net_address_format(text, address, false);
	json_object_set_new(object, name, json_string(text));
}

static json_t *detail_of(const struct tls_detail *detail)
{
	json_t *object = json_pack("{s:s, s:I}", "result-type", tls_outcome_name(detail->outcome),
				   "failed-session-count", (json_int_t)detail->count);

	set_address(object, "sending-mta-ip", &detail->source);
	set_address(object, "receiving-ip", &detail->receiver);
	if (detail->host[0])
		json_object_set_new(object, "receiving-mx-hostname", json_string(detail->host));
	if (detail->reason[0])
		json_object_set_new(object, "failure-reason-code", json_string(detail->reason));
	return object;
}

static json_t *result_of(const struct tls_report *report, const struct tls_tally *tally,
			 u32 index)
{
	const struct tls_policy *policy = &tally->policies[index];
	json_t *details = json_array();
	json_t *object;

	for (u32 i = 0; i < tally->detail_count; i++) {
		if (tally->details[i].policy == index)
			json_array_append_new(details, detail_of(&tally->details[i]));
	}
	object = json_pack("{s:o, s:{s:I, s:I}}", "policy", policy_of(report, policy), "summary",
			   "total-successful-session-count", (json_int_t)policy->successes,
			   "total-failure-session-count",
			   (json_int_t)tls_tally_failures(tally, index));
	if (json_array_size(details) > 0)
		json_object_set(object, "failure-details", details);
	json_decref(details);
	return object;
}

void tls_report_json(const struct tls_report *report, const struct tls_tally *tally,
		     struct buf *out)
{
	char id[TLS_REPORT_ID_SIZE];
	char start[STAMP_SIZE];
	char end[STAMP_SIZE];
	json_t *policies = json_array();
	json_t *root;
	char *text;

	tls_report_id(report, id);
	write_stamp(start, report->day * TLS_DAY_MS);
	write_stamp(end, (report->day + 1) * TLS_DAY_MS - MS_PER_S);
	for (u32 i = 0; i < tally->policy_count; i++)
		json_array_append_new(policies, result_of(report, tally, i));
	root = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:o}", "organization-name",
			 report->submitter, "date-range", "start-datetime", start, "end-datetime",
			 end, "contact-info", report->contact, "report-id", id, "policies",
			 policies);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (text)
		buf_add_text(out, text);
	else
		out->failed = true;
	free(text);
	json_decref(root);
}

/* ---- mail ---- */

static void add_base64(struct buf *out, struct slice bytes)
{
	while (bytes.len > 0) {
		struct slice line = slice_first(bytes, LINE_BYTES);
		char *to = buf_reserve(out, base64_length(line.len));

		if (!to)
			return;
		buf_advance(out, base64_encode(to, line.ptr, line.len));
		buf_add_char(out, '\n');
		bytes = slice_from(bytes, line.len);
	}
}

/* Section 5.1: who!about whom!from!until, in seconds. */
static void add_file_name(struct buf *out, const struct tls_report *report)
{
	const unsigned long long start = report->day * (TLS_DAY_MS / MS_PER_S);

	buf_add_format(out, "%s!%s!%llu!%llu.json.gz", report->submitter, report->domain, start,
		       start + TLS_DAY_MS / MS_PER_S - 1);
}

static void add_head(const struct tls_report *report, const char *to, struct buf *out)
{
	char id[TLS_REPORT_ID_SIZE];

	tls_report_id(report, id);
	buf_add_format(out, "From: TLS reports <tls-reports@%s>\nTo: <%s>\n", report->submitter,
		       to);
	/* Section 5.3 has these words; they are folded for the length of lines. */
	buf_add_format(out, "Subject: Report Domain: %s\n Submitter: %s\n Report-ID: <%s>\n",
		       report->domain, report->submitter, id);
	buf_add_format(out, "TLS-Report-Domain: %s\nTLS-Report-Submitter: %s\n", report->domain,
		       report->submitter);
	/* RFC 3834 section 5: nobody need answer it. */
	buf_add_text(out, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
			  "Content-Type: multipart/report; report-type=\"tlsrpt\";\n"
			  " boundary=\"=_tls-report\"\n\n");
}

void tls_report_mail(const struct tls_report *report, const char *to, struct slice json,
		     struct buf *out)
{
	char stamp[STAMP_SIZE];
	struct buf packed;

	buf_init(&packed, TLS_REPORT_JSON_MAX);
	gzip_add(&packed, json);
	write_stamp(stamp, report->day * TLS_DAY_MS);
	add_head(report, to, out);
	buf_add_format(out,
		       "--=_tls-report\nContent-Type: text/plain; charset=us-ascii\n\n"
		       "This is an aggregate report about TLS with the mail hosts of\n%s\n"
		       "on %.10s (UTC), made by %s.\nContact: %s\n\n",
		       report->domain, stamp, report->submitter, report->contact);
	buf_add_text(out, "--=_tls-report\nContent-Type: application/tlsrpt+gzip;\n name=\"");
	add_file_name(out, report);
	buf_add_text(out, "\"\nContent-Transfer-Encoding: base64\n"
			  "Content-Disposition: attachment;\n filename=\"");
	add_file_name(out, report);
	buf_add_text(out, "\"\n\n");
	add_base64(out, buf_slice(&packed));
	buf_add_text(out, "--=_tls-report--\n");
	out->failed |= packed.failed;
	buf_done(&packed);
}
