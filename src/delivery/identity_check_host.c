#include "delivery/identity_check.h"

#include "base/net_address.h"
#include "base/text.h"
#include "dns/block_list.h"
#include "dns/record_text.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

static void check_ptr(struct identity_check *check, const char *address)
{
	const char *hostname = check->records->hostname;
	char name[QUESTION_NAME_SIZE];
	char what[100];
	char found[400];
	char advice[600];
	enum question_status status = question_find_ptr(check->ask, check->ask_arg, address, name);
	struct identity_row row = { .what = what,
				    .verdict = IDENTITY_FAIL,
				    .code = identity_finding_name(identity_finding_of(status)),
				    .details = { name, address, hostname },
				    .found = question_status_text(status),
				    .advice = IDENTITY_ADVICE_PTR,
				    .advice_text = advice };

	snprintf(what, sizeof(what), "PTR %s", address);
	snprintf(advice, sizeof(advice), "ask your provider for the PTR %s -> %s", address,
		 hostname);
	if (status == QUESTION_OK) {
		bool is_confirmed = question_has_address(check->ask, check->ask_arg, name, address);
		bool is_ours = slice_equal_nocase(slice_of(name), slice_of(hostname));

		snprintf(found, sizeof(found), "%s%s%s", name,
			 is_confirmed ? "" : ", which does not have this address",
			 is_ours ? "" : ", which is not what EHLO says");
		row.found = found;
		row.verdict = !is_confirmed ? IDENTITY_FAIL
			      : is_ours     ? IDENTITY_PASS
					    : IDENTITY_WARN;
		row.code = identity_finding_name(
			is_confirmed ? (is_ours ? IDENTITY_PTR : IDENTITY_PTR_OTHER)
			: is_ours    ? IDENTITY_PTR_UNCONFIRMED
				     : IDENTITY_PTR_OTHER_UNCONFIRMED);
	}
	identity_tell(check, &row);
}

static void check_ehlo(struct identity_check *check, const char *address)
{
	const char *hostname = check->records->hostname;
	bool has = question_has_address(check->ask, check->ask_arg, hostname, address);
	char what[100];
	char found[400];
	char record[600];

	snprintf(what, sizeof(what), "EHLO %s", address);
	snprintf(found, sizeof(found), "%s %s this address", hostname,
		 has ? "has" : "does not have");
	snprintf(record, sizeof(record), "%s. IN %s %s", hostname,
		 strchr(address, ':') ? "AAAA" : "A", address);
	identity_tell(check,
		      &(struct identity_row){ .what = what,
					      .verdict = has ? IDENTITY_PASS : IDENTITY_FAIL,
					      .code = identity_finding_name(
						      has ? IDENTITY_EHLO : IDENTITY_EHLO_LACKS),
					      .details = { hostname },
					      .found = found,
					      .record = record });
}

void identity_check_address(struct identity_check *check, const char *address)
{
	check_ptr(check, address);
	check_ehlo(check, address);
}

/* ---- block lists ---- */

static enum block_list_says ask_list(struct identity_check *check,
				     const struct net_address *address, const char *zone,
				     char code[NET_ADDRESS_TEXT_SIZE])
{
	char name[QUESTION_NAME_SIZE];
	struct question_answer answer;
	enum block_list_says says;

	code[0] = '\0';
	if (!block_list_name(name, address, zone))
		return BLOCK_LIST_STRANGE;
	identity_ask(check, name, RECORD_A, &answer);
	says = block_list_read(&answer, code);
	question_answer_done(&answer);
	return says;
}

/* Why a list cannot be believed, by what it says of its test point; *found NULL: it can. */
static enum identity_finding list_excuse(enum block_list_says says, const char **found)
{
	switch (says) {
	case BLOCK_LIST_LISTED:
		*found = NULL;
		return IDENTITY_LIST_CLEAN;
	case BLOCK_LIST_CLEAN:
		*found = "does not answer us: it does not even know its test point 127.0.0.2";
		return IDENTITY_LIST_TEST_POINT;
	case BLOCK_LIST_REFUSES:
		*found = "does not answer our resolver";
		return IDENTITY_LIST_REFUSES;
	case BLOCK_LIST_STRANGE:
		*found = "is no block list any more: it answers with other addresses";
		return IDENTITY_LIST_STRANGE;
	case BLOCK_LIST_SILENT:
		break;
	}
	*found = "no answer";
	return IDENTITY_LIST_SILENT;
}

/* What a stranger wrote, for a terminal or a page. */
static void add_printable(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(out, text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?');
}

/* What one list says of all addresses. */
struct listing {
	struct identity_check *check;
	const char *zone;
	u32 asked;
	struct buf found;   /* "192.0.2.10 is listed (127.0.0.2), ..." */
	struct buf entries; /* "192.0.2.10 (127.0.0.2), ..." */
	struct buf says;    /* the list's own words of each, in lines */
	struct buf advice;
};

/* One entry: which address, by which code, and the list's own words. */
static void add_entry(struct listing *listing, const char *text, const struct net_address *address,
		      const char *code)
{
	const char *comma = listing->found.len > 0 ? ", " : "";
	char name[QUESTION_NAME_SIZE];
	struct buf reason;

	buf_add_format(&listing->found, "%s%s is listed (%s)", comma, text, code);
	buf_add_format(&listing->entries, "%s%s (%s)", comma, text, code);
	buf_init(&reason, 1024);
	if (block_list_name(name, address, listing->zone) &&
	    identity_find_txt(listing->check, name, NULL, &reason) == QUESTION_OK) {
		const char *line = listing->says.len > 0 ? "\n  " : "";

		buf_add_format(&listing->says, "%s%s: ", line, text);
		add_printable(&listing->says, buf_slice(&reason));
		buf_add_format(&listing->advice, "%sthe list says of %s: ", line, text);
		add_printable(&listing->advice, buf_slice(&reason));
	}
	buf_done(&reason);
}

static void tell_listing(struct listing *listing)
{
	bool has_words = listing->says.len > 0;
	char count[12];

	if (listing->entries.len > 0) {
		identity_tell(listing->check,
			      &(struct identity_row){
				      .what = listing->zone,
				      .verdict = IDENTITY_FAIL,
				      .code = identity_finding_name(IDENTITY_LIST_LISTED),
				      .details = { buf_text(&listing->entries),
						   buf_text(&listing->says) },
				      .found = buf_text(&listing->found),
				      .advice = has_words ? IDENTITY_ADVICE_LIST_SAYS
							  : IDENTITY_ADVICE_LIST_ASK,
				      .advice_text = has_words ? buf_text(&listing->advice)
							       : "ask the list to remove it" });
		return;
	}
	snprintf(count, sizeof(count), "%u", listing->asked);
	buf_add_format(&listing->found, "%s address%s, not listed", count,
		       listing->asked == 1 ? "" : "es");
	identity_tell(listing->check,
		      &(struct identity_row){ .what = listing->zone,
					      .verdict = IDENTITY_PASS,
					      .code = identity_finding_name(IDENTITY_LIST_CLEAN),
					      .details = { count },
					      .found = buf_text(&listing->found) });
}

static void ask_of_addresses(struct listing *listing)
{
	const struct records *records = listing->check->records;
	char code[NET_ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < records->address_count; i++) {
		struct net_address address;

		if (!net_address_parse(&address, slice_of(records->addresses[i]), false) ||
		    net_address_is_special(&address))
			continue;
		listing->asked++;
		if (ask_list(listing->check, &address, listing->zone, code) == BLOCK_LIST_LISTED)
			add_entry(listing, records->addresses[i], &address, code);
	}
}

static void check_list(struct identity_check *check, const char *zone)
{
	struct listing listing = { .check = check, .zone = zone };
	char code[NET_ADDRESS_TEXT_SIZE];
	const char *excuse;
	enum identity_finding finding =
		list_excuse(ask_list(check, &BLOCK_LIST_TEST_POINT, zone, code), &excuse);

	if (excuse) {
		identity_tell(check, &(struct identity_row){
					     .what = zone,
					     .verdict = IDENTITY_WARN,
					     .code = identity_finding_name(finding),
					     .found = excuse,
					     .advice = IDENTITY_ADVICE_RESOLVER,
					     .advice_text = "it may want a resolver of your own, "
							    "or a key in its name (dns, "
							    "block-lists)" });
		return;
	}
	buf_init(&listing.found, 8192);
	buf_init(&listing.entries, 8192);
	buf_init(&listing.says, 32768);
	buf_init(&listing.advice, 32768);
	ask_of_addresses(&listing);
	tell_listing(&listing);
	buf_done(&listing.found);
	buf_done(&listing.entries);
	buf_done(&listing.says);
	buf_done(&listing.advice);
}

void identity_check_block_lists(struct identity_check *check)
{
	const struct records *records = check->records;
	const struct config_list *lists = check->block_lists;
	bool is_public = false;

	for (size_t i = 0; i < records->address_count; i++) {
		struct net_address address;

		is_public |= net_address_parse(&address, slice_of(records->addresses[i]), false) &&
			     !net_address_is_special(&address);
	}
	if (!is_public) {
		identity_tell_plain(check, "block lists", IDENTITY_INFO, IDENTITY_LIST_NOT_ASKED,
				    "not asked: no address of ours is public");
		return;
	}
	for (size_t i = 0; lists && i < lists->count; i++) {
		if (strcmp(lists->items[i], "none") != 0)
			check_list(check, lists->items[i]);
	}
}
