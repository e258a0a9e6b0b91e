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
	char publish[600];
	enum question_status status = question_find_ptr(check->ask, check->ask_arg, address, name);
	bool is_confirmed;
	bool is_ours;

	snprintf(what, sizeof(what), "PTR %s", address);
	snprintf(publish, sizeof(publish), "ask your provider for the PTR %s -> %s", address,
		 hostname);
	if (status != QUESTION_OK) {
		identity_tell(check, what, IDENTITY_FAIL, question_status_text(status), publish);
		return;
	}
	is_confirmed = question_has_address(check->ask, check->ask_arg, name, address);
	is_ours = slice_equal_nocase(slice_of(name), slice_of(hostname));
	snprintf(found, sizeof(found), "%s%s%s", name,
		 is_confirmed ? "" : ", which does not have this address",
		 is_ours ? "" : ", which is not what EHLO says");
	identity_tell(check, what,
		      !is_confirmed ? IDENTITY_FAIL
		      : is_ours     ? IDENTITY_PASS
				    : IDENTITY_WARN,
		      found, publish);
}

static void check_ehlo(struct identity_check *check, const char *address)
{
	const char *hostname = check->records->hostname;
	bool has = question_has_address(check->ask, check->ask_arg, hostname, address);
	char what[100];
	char found[400];
	char publish[600];

	snprintf(what, sizeof(what), "EHLO %s", address);
	snprintf(found, sizeof(found), "%s %s this address", hostname,
		 has ? "has" : "does not have");
	snprintf(publish, sizeof(publish), "%s. IN %s %s", hostname,
		 strchr(address, ':') ? "AAAA" : "A", address);
	identity_tell(check, what, has ? IDENTITY_PASS : IDENTITY_FAIL, found, publish);
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

/* Why a list cannot be believed, by what it says of its test point; NULL: it can. */
static const char *list_excuse(enum block_list_says says)
{
	switch (says) {
	case BLOCK_LIST_LISTED:
		return NULL;
	case BLOCK_LIST_CLEAN:
		return "does not answer us: it does not even know its test point 127.0.0.2";
	case BLOCK_LIST_REFUSES:
		return "does not answer our resolver";
	case BLOCK_LIST_STRANGE:
		return "is no block list any more: it answers with other addresses";
	case BLOCK_LIST_SILENT:
		return "no answer";
	}
	return "?";
}

/* What a stranger wrote, for a terminal or a page. */
static void add_printable(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(out, text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?');
}

/* One entry: which address, by which code, and the list's own words. */
static void add_entry(struct identity_check *check, const char *text,
		      const struct net_address *address, const char *zone, const char *code,
		      struct buf *found, struct buf *publish)
{
	char name[QUESTION_NAME_SIZE];
	struct buf reason;

	buf_add_format(found, "%s%s is listed (%s)", found->len > 0 ? ", " : "", text, code);
	buf_init(&reason, 1024);
	if (block_list_name(name, address, zone) &&
	    identity_find_txt(check, name, NULL, &reason) == QUESTION_OK) {
		buf_add_format(publish, "%sthe list says of %s: ", publish->len > 0 ? "\n  " : "",
			       text);
		add_printable(publish, buf_slice(&reason));
	}
	buf_done(&reason);
}

static void check_list(struct identity_check *check, const char *zone)
{
	const struct records *records = check->records;
	char code[NET_ADDRESS_TEXT_SIZE];
	enum block_list_says says = ask_list(check, &BLOCK_LIST_TEST_POINT, zone, code);
	const char *excuse = list_excuse(says);
	u32 asked = 0;
	struct buf found;
	struct buf publish;

	if (excuse) {
		identity_tell(check, zone, IDENTITY_WARN, excuse,
			      "it may want a resolver of your own, or a key in its name (dns, "
			      "block-lists)");
		return;
	}
	buf_init(&found, 8192);
	buf_init(&publish, 32768);
	for (size_t i = 0; i < records->address_count; i++) {
		struct net_address address;

		if (!net_address_parse(&address, slice_of(records->addresses[i]), false) ||
		    net_address_is_special(&address))
			continue;
		asked++;
		says = ask_list(check, &address, zone, code);
		if (says == BLOCK_LIST_LISTED)
			add_entry(check, records->addresses[i], &address, zone, code, &found,
				  &publish);
	}
	if (found.len > 0) {
		identity_tell(check, zone, IDENTITY_FAIL, buf_text(&found),
			      publish.len > 0 ? buf_text(&publish) : "ask the list to remove it");
	} else {
		buf_add_format(&found, "%u address%s, not listed", asked, asked == 1 ? "" : "es");
		identity_tell(check, zone, IDENTITY_PASS, buf_text(&found), NULL);
	}
	buf_done(&publish);
	buf_done(&found);
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
		identity_tell(check, "block lists", IDENTITY_INFO,
			      "not asked: no address of ours is public", NULL);
		return;
	}
	for (size_t i = 0; lists && i < lists->count; i++) {
		if (strcmp(lists->items[i], "none") != 0)
			check_list(check, lists->items[i]);
	}
}
