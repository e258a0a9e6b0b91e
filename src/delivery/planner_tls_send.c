/*
 * Reports about TLS on their way: those of days that are over are looked up in the store some time
 * after midnight (UTC), each domain at an hour of its own, and go to every place that the domain
 * named: as a letter, or by HTTPS. What a place does not take is tried again for a day.
 *
 * A letter's key follows from the report: however often it is brought, it is sent once.
 */
#include "delivery/planner_tls.h"

#include "base/crypto.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/text.h"
#include "message/address.h"

#include <stdio.h>
#include <string.h>

#define LOOKS 500                       /* records in a turn */
#define LOOK_NS (30 * NS_PER_S)         /* from one look through all of them to the next */
#define PAUSE_NS (20 * NS_PER_MS)       /* from one slice of it to the next */
#define BUSY_NS NS_PER_S                /* all sends are under way */
#define TRY_MS (10 * 60 * 1000ull)      /* then twice as long, */
#define TRY_MAX_MS (4 * 3600 * 1000ull) /* and at most so long */
#define TRY_FOR_MS TLS_DAY_MS           /* RFC 8460 section 5.5 */
#define KEEP_DAYS 2                     /* before today */
#define HTTPS_ADDRESSES_MAX 8

/* ---- when ---- */

/* The same hour of every day, so that nobody gets all reports of all senders at midnight. */
static u64 due_of(u64 day, const char *domain)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u32 part;

	sha256_init(&hash);
	sha256_add(&hash, domain, strlen(domain));
	sha256_finish(&hash, digest);
	memcpy(&part, digest, sizeof(part));
	return (day + 1) * TLS_DAY_MS + part % TLS_SPREAD_MS;
}

/* ---- one report ---- */

static struct tls_report report_of(const struct tls_send *send, char contact[320])
{
	const struct config *config = send->planner->config;
	const char *submitter = config->customers[0].domain;

	if (config->tls_report_contact)
		snprintf(contact, 320, "%s", config->tls_report_contact);
	else
		snprintf(contact, 320, "postmaster@%s", submitter);
	return (struct tls_report){ .submitter = submitter,
				    .contact = contact,
				    .domain = send->domain,
				    .day = send->day };
}

static void end_place(struct tls_send *send, bool has_it, const char *why)
{
	struct metrics_planner *m = send->planner->m;
	const bool is_mail = send->uri.kind == TLSRPT_MAILTO;

	send->state = TLS_SEND_READY;
	send->planner->must_work = true;
	if (has_it) {
		send->tally.told |= (u8)(1u << send->place);
		metric_add(is_mail ? &m->tls_reports_mailed : &m->tls_reports_posted, 1);
	} else {
		send->missed++;
		log_info("delivery", "a place does not take its TLS report",
			 "domain=%s to=%.*s why=%s", send->domain, SLICE_FMT(send->uri.text), why);
	}
	send->place++;
}

/* The place will never take it. */
static void give_place_up(struct tls_send *send, const char *why)
{
	log_info("delivery", "no TLS report for a place", "domain=%s to=%.*s why=%s", send->domain,
		 SLICE_FMT(send->uri.text), why);
	metric_add(&send->planner->m->tls_reports_failed, 1);
	send->tally.told |= (u8)(1u << send->place);
	send->place++;
	send->state = TLS_SEND_READY;
	send->planner->must_work = true;
}

/* ---- by mail ---- */

static void on_letter(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	struct tls_send *send = container_of(wait, struct tls_send, wait);

	if (result == LETTER_REFUSED)
		give_place_up(send, sentence);
	else
		end_place(send, result != LETTER_NO_ROOM, sentence);
}

static void make_key(struct tls_send *send)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, &send->day, sizeof(send->day));
	sha256_add(&hash, send->domain, strlen(send->domain) + 1);
	sha256_add(&hash, send->uri.text.ptr, send->uri.text.len);
	sha256_finish(&hash, digest);
	snprintf(send->key, sizeof(send->key), "tlsrpt-");
	hex_encode(send->key + 7, digest, 16);
	send->key[7 + 32] = '\0';
}

static bool compose(struct tls_send *send)
{
	struct planner_options options = { .literal = true };
	struct letter *letter = &send->wait.letter;
	char contact[320];
	const struct tls_report report = report_of(send, contact);
	struct buf json;
	size_t whole;

	buf_init(&json, TLS_REPORT_JSON_MAX);
	buf_init(&send->body, TLS_REPORT_MAIL_MAX);
	tls_report_json(&report, &send->tally, &json);
	tls_report_mail(&report, buf_text(&send->address), buf_slice(&json), &send->body);
	whole = send->body.len;
	planner_options_pack(&options, &send->body);
	make_key(send);
	*letter = (struct letter){
		.key = slice_of(send->key),
		.customer = slice_of(report.submitter),
		.source = { .whole = slice_first(buf_slice(&send->body), whole),
			    .options = slice_from(buf_slice(&send->body), whole) },
		.recipients = &send->recipient,
		.recipient_count = 1,
		.expire_after_ms = TRY_FOR_MS,
		.kind = LETTER_REPORT,
	};
	send->recipient = (struct letter_recipient){ .address = buf_slice(&send->address),
						     .notify = LETTER_NOTIFY_NEVER };
	json.failed |= send->body.failed;
	buf_done(&json);
	return !json.failed;
}

static void mail(struct tls_send *send)
{
	struct address address;
	struct error error;

	if (!address_parse(&address, slice_of(send->uri.target), &error)) {
		give_place_up(send, error.text);
		return;
	}
	buf_init(&send->address, ADDRESS_WIRE_MAX);
	address_add_wire(&address, &send->address);
	if (send->address.failed || !compose(send)) {
		end_place(send, false, "out of memory");
		return;
	}
	send->wait.done = on_letter;
	list_init(&send->wait.node);
	send->state = TLS_SEND_LETTER;
	planner_letter_add(send->planner, &send->wait);
}

/* ---- by HTTPS ---- */

static u64 cookie_of(const struct tls_send *send)
{
	return (u64)(uintptr_t)send | PLANNER_COOKIE_REPORT;
}

static void find_host(struct tls_send *send)
{
	send->state = TLS_SEND_ADDRESS;
	if (!mx_lookup_addresses(send->planner->resolver, slice_of(send->uri.target),
				 cookie_of(send)))
		end_place(send, false, "DNS takes no questions now");
}

static bool open_fetcher(struct planner *planner)
{
	struct error error = { "" };

	if (planner->tls->fetcher)
		return true;
	planner->tls->fetcher = sts_fetcher_open(&error);
	if (!planner->tls->fetcher)
		log_warn("delivery", "TLS reports cannot be posted", "reason=%s", error.text);
	return planner->tls->fetcher != NULL;
}

static bool pack_body(struct tls_send *send)
{
	char contact[320];
	const struct tls_report report = report_of(send, contact);
	struct buf json;

	buf_init(&json, TLS_REPORT_JSON_MAX);
	buf_init(&send->body, STS_BODY_MAX);
	tls_report_json(&report, &send->tally, &json);
	gzip_add(&send->body, buf_slice(&json));
	json.failed |= send->body.failed;
	buf_done(&json);
	return !json.failed;
}

static void post(struct tls_send *send, struct net_address *addresses, u32 count)
{
	struct sts_post one = { .url = send->uri.text,
				.host = send->uri.target,
				.addresses = addresses,
				.address_count = count };
	bool is_packed;

	for (u32 i = 0; i < count; i++)
		addresses[i].port = send->uri.port;
	is_packed = pack_body(send);
	one.body = buf_slice(&send->body);
	if (!is_packed || !open_fetcher(send->planner) ||
	    !sts_post(send->planner->tls->fetcher, &one, cookie_of(send))) {
		end_place(send, false, "it cannot be posted now");
		return;
	}
	send->planner->tls->posts++;
	send->state = TLS_SEND_POST;
}

void planner_tls_addresses(struct planner *planner, u64 cookie, const struct mx_answer *answer)
{
	struct tls_send *send = (struct tls_send *)(uintptr_t)(cookie & ~PLANNER_COOKIE_REPORT);
	struct net_address addresses[HTTPS_ADDRESSES_MAX];
	const u32 count = min_u32(answer->address_count, HTTPS_ADDRESSES_MAX);

	(void)planner;
	memcpy(addresses, answer->addresses, count * sizeof(addresses[0]));
	if (answer->status == MX_OK && count > 0)
		post(send, addresses, count);
	else
		end_place(send, false, answer->text);
}

static void take_posts(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;
	struct sts_fetched fetched;

	while (tls->posts > 0 && sts_next_fetched(tls->fetcher, &fetched)) {
		u64 place = fetched.cookie & ~PLANNER_COOKIE_REPORT;

		tls->posts--;
		end_place((struct tls_send *)(uintptr_t)place, fetched.ok, fetched.why);
	}
}

/* ---- from place to place ---- */

static void end_round(struct tls_send *send)
{
	const u64 now_ms = send->planner->time.wall_ms;
	struct tls_tally *tally = &send->tally;

	send->state = TLS_SEND_OVER;
	send->planner->must_work = true;
	tally->tries = (u8)min_u32(tally->tries + 1u, UINT8_MAX);
	if (send->missed == 0)
		return;
	if (now_ms < due_of(send->day, send->domain) + TRY_FOR_MS) {
		u64 wait_ms = TRY_MS << min_u32(tally->tries - 1u, 8);

		tally->next_ms = now_ms + min_u64(wait_ms, TRY_MAX_MS);
		return;
	}
	metric_add(&send->planner->m->tls_reports_failed, send->missed);
	tally->told = UINT8_MAX;
}

static void go_on(struct tls_send *send)
{
	buf_done(&send->body);
	buf_done(&send->address);
	while (tlsrpt_uri_next(&send->rest, &send->uri)) {
		if (send->tally.told & 1u << send->place) {
			send->place++;
			continue;
		}
		if (send->uri.kind == TLSRPT_MAILTO)
			mail(send);
		else
			find_host(send);
		return;
	}
	end_round(send);
}

static bool is_under_way(const struct planner_tls *tls, u64 day, struct slice domain)
{
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		const struct tls_send *send = &tls->sends[i];

		if (send->state != TLS_SEND_FREE && send->day == day &&
		    slice_equal(slice_of(send->domain), domain))
			return true;
	}
	return false;
}

static struct tls_send *free_send(struct planner_tls *tls)
{
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		if (tls->sends[i].state == TLS_SEND_FREE)
			return &tls->sends[i];
	}
	return NULL;
}

/* ---- looking for them ---- */

enum look { LOOK_NEXT, LOOK_OLD, LOOK_BUSY };

static enum look look_at(struct planner *planner, struct slice name, struct slice value)
{
	struct planner_tls *tls = planner->tls;
	const u64 today = planner_tls_day(planner);
	struct tls_send *send = free_send(tls);
	struct tls_tally tally;
	struct slice domain;
	char text[256];
	u64 day;

	if (!planner_tls_name_read(name, &day, &domain) || day + KEEP_DAYS < today ||
	    day > today + 1 || !slice_copy(text, sizeof(text), domain))
		return LOOK_OLD;
	if (day >= today)
		return LOOK_NEXT;
	if (is_under_way(tls, day, domain)) {
		tls->found_waiting = true;
		return LOOK_NEXT;
	}
	if (!tls_tally_read(&tally, value))
		return LOOK_OLD;
	if (tls_tally_is_told(&tally)) {
		tls_tally_done(&tally);
		return LOOK_NEXT;
	}
	tls->found_waiting = true;
	if (!send || (!tls->is_at_once && planner->time.wall_ms <
					       max_u64(due_of(day, text), tally.next_ms))) {
		tls_tally_done(&tally);
		return send ? LOOK_NEXT : LOOK_BUSY;
	}
	send->state = TLS_SEND_READY;
	send->is_written = false;
	send->day = day;
	send->place = 0;
	send->missed = 0;
	send->tally = tally;
	send->rest = slice_of(send->tally.rua);
	memcpy(send->domain, text, sizeof(text));
	return LOOK_NEXT;
}

static void end_look(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;

	tls->looked[0] = '\0';
	tls->is_waiting = tls->found_waiting;
	tls->found_waiting = false;
	tls->is_at_once = false;
	tls->look_ns = planner->now_ns + LOOK_NS;
}

/* A slice of the records, in a transaction that writes only when some are old. */
static enum store_result look_some(struct planner *planner, bool *has_deleted)
{
	struct planner_tls *tls = planner->tls;

	tls->look_ns = planner->now_ns + PAUSE_NS;
	for (u32 i = 0; i < LOOKS; i++) {
		char before[TLS_NAME_SIZE];
		struct slice name;
		struct slice value;
		enum look look;
		enum store_result result =
			queue_setting_next(planner->queue, SLICE(TLS_PREFIX),
					   slice_of(tls->looked), &name, &value);

		if (result == STORE_NOT_FOUND) {
			end_look(planner);
			return STORE_OK;
		}
		if (result != STORE_OK)
			return result;
		memcpy(before, tls->looked, sizeof(before));
		slice_copy(tls->looked, sizeof(tls->looked), name);
		look = look_at(planner, name, value);
		if (look == LOOK_BUSY) {
			memcpy(tls->looked, before, sizeof(before));
			tls->look_ns = planner->now_ns + BUSY_NS;
			return STORE_OK;
		}
		if (look == LOOK_NEXT)
			continue;
		result = queue_setting_delete(planner->queue, slice_of(tls->looked));
		if (result != STORE_OK)
			return result;
		*has_deleted = true;
	}
	return STORE_OK;
}

static void look(struct planner *planner)
{
	struct error error = { "" };
	bool has_deleted = false;

	if (!planner_begin(planner, &error))
		return;
	if (look_some(planner, &has_deleted) != STORE_OK) {
		/* No room to delete, perhaps: another time. */
		planner->tls->look_ns = planner->now_ns + LOOK_NS;
		queue_abort(planner->queue);
	} else if (!has_deleted) {
		queue_abort(planner->queue);
	} else if (!planner_commit(planner, &error)) {
		log_warn("delivery", "old TLS reports are not deleted", "reason=%s", error.text);
	}
}

void planner_tls_send(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;

	if (!tls || planner->broken || planner->recovering)
		return;
	take_posts(planner);
	if (planner->stopping || planner->careful > 0)
		return;
	if (tls->is_waiting && planner->now_ns >= tls->look_ns)
		look(planner);
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		if (tls->sends[i].state == TLS_SEND_READY)
			go_on(&tls->sends[i]);
	}
}

bool planner_tls_send_now(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;

	if (!tls)
		return false;
	tls->is_waiting = true;
	tls->is_at_once = true;
	tls->looked[0] = '\0';
	tls->look_ns = planner->now_ns;
	planner->must_work = true;
	return true;
}

/* ---- what came of it ---- */

bool planner_tls_send_has_work(const struct planner *planner)
{
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		if (planner->tls->sends[i].state == TLS_SEND_OVER)
			return true;
	}
	return false;
}

void planner_tls_send_write(struct planner *planner)
{
	for (u32 i = 0; i < TLS_SENDS_MAX && planner->failed_by == STORE_OK; i++) {
		struct tls_send *send = &planner->tls->sends[i];
		char name[TLS_NAME_SIZE];
		struct buf text;

		if (send->state != TLS_SEND_OVER)
			continue;
		planner_tls_name(name, send->day, send->domain);
		buf_init(&text, TLS_TALLY_TEXT_MAX);
		tls_tally_write(&send->tally, &text);
		send->is_written =
			!text.failed && planner_store_ok(planner,
							 queue_setting_put(planner->queue,
									   slice_of(name),
									   buf_slice(&text)));
		buf_done(&text);
	}
}

static void end_send(struct tls_send *send)
{
	tls_tally_done(&send->tally);
	buf_done(&send->body);
	buf_done(&send->address);
	send->state = TLS_SEND_FREE;
}

void planner_tls_send_committed(struct planner *planner, bool ok)
{
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		struct tls_send *send = &planner->tls->sends[i];

		if (send->is_written && ok)
			end_send(send);
		send->is_written = false;
	}
}

void planner_tls_send_close(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;

	sts_fetcher_close(tls->fetcher);
	for (u32 i = 0; i < TLS_SENDS_MAX; i++) {
		if (tls->sends[i].state == TLS_SEND_LETTER)
			planner_letter_leave(planner, &tls->sends[i].wait);
		end_send(&tls->sends[i]);
	}
}
