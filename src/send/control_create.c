/*
 * campaign.create: the template is collected, compiled as soon as it is complete, then recipients
 * go into the queue a batch at a time. Until the REPLY the campaign is an import, which any trouble
 * drops.
 */
#include "base/log.h"
#include "base/text.h"
#include "message/message.h"
#include "send/control_parts.h"
#include "store/row_values.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS 8192        /* rows of one transaction */
#define IMPORTS_MAX 8          /* at once: each may hold a template */
#define REFUSED_ROWS_MAX 10000 /* told one by one; more means that the file is something else */
#define OPTIONS_MAX 8192
#define CONTROL_REASON_MAX 512 /* bytes */
#define COLUMNS_BYTES_MAX (CONTROL_COLUMNS_MAX * 65)

struct control_import {
	struct queue_campaign campaign;
	struct buf parts[CONTROL_DATA_PARTS + 1]; /* by tag */
	u64 sizes[CONTROL_DATA_PARTS + 1];
	struct buf columns;
	struct buf options;
	size_t column_count;
	struct planner_intake *intake; /* NULL: the template is not complete yet */
	u64 refused;
	u64 total;
	u32 count; /* of rows */
	struct planner_recipient rows[BATCH_ROWS];
};

static void free_parts(struct control_import *import)
{
	for (size_t tag = 0; tag <= CONTROL_DATA_PARTS; tag++)
		buf_done(&import->parts[tag]);
}

static void free_import(struct control_link *link)
{
	struct control_import *import = link->import;

	free_parts(import);
	buf_done(&import->columns);
	buf_done(&import->options);
	free(import);
	link->import = NULL;
	link->control->import_count--;
}

void control_create_abort(struct control_link *link)
{
	if (!link->import)
		return;
	if (link->import->intake) {
		log_warn("send", "an import is broken off", "campaign=%s",
			 link->import->campaign.name);
		planner_intake_abort(link->import->intake);
	}
	free_import(link);
}

/* The import is over; what the client has sent already is ignored up to its END. */
static void refuse(struct control_link *link, enum control_code code, const char *sentence)
{
	log_info("send", "an import is refused", "reason=%s", sentence);
	control_create_abort(link);
	link->state = LINK_DRAIN;
	link_refuse(link, code, sentence);
}

/* ---- the request ---- */

struct planner_options control_options_of(const struct control_campaign_create *create,
					  bool is_literal)
{
	return (struct planner_options){
		.charset = strcmp(create->charset, "iso-2022-jp") == 0 ? MESSAGE_ISO_2022_JP
								       : MESSAGE_UTF8,
		.encoding = strcmp(create->encoding, "8bit") == 0 ? MESSAGE_ENCODING_8BIT
								  : MESSAGE_ENCODING_AUTO,
		.require_unsubscribe = create->require_unsubscribe,
		.literal = is_literal,
		.unsubscribe_url = slice_of(create->unsubscribe_url ? create->unsubscribe_url : ""),
		.unsubscribe_mailto =
			slice_of(create->unsubscribe_mailto ? create->unsubscribe_mailto : ""),
	};
}

static bool options_pack(struct control_import *import,
			 const struct control_campaign_create *create, struct error *error)
{
	const char *url = create->unsubscribe_url ? create->unsubscribe_url : "";
	const char *mailto = create->unsubscribe_mailto ? create->unsubscribe_mailto : "";
	const struct planner_options options = control_options_of(create, false);

	if (strpbrk(url, "\r\n") || strpbrk(mailto, "\r\n"))
		return error_set(error, "campaign.create: unsubscribe addresses are one line each");
	planner_options_pack(&options, &import->options);
	if (import->options.failed)
		return error_set(error, "campaign.create: unsubscribe addresses are too long");
	return true;
}

static bool import_fill(struct control_link *link, const struct control_campaign_create *create,
			struct error *error)
{
	struct control_import *import = link->import;
	struct queue_campaign *campaign = &import->campaign;

	if (!slice_copy(campaign->name, sizeof(campaign->name), slice_of(create->name)) ||
	    !slice_copy(campaign->customer, sizeof(campaign->customer), slice_of(create->customer)))
		return error_set(error, "campaign.create: a name is too long");
	if (create->list && (!slice_copy(campaign->list, sizeof(campaign->list),
					 slice_of(create->list)) ||
			     strlen(create->list) + 1 + strlen(create->customer) >
				     SUPPRESSION_SCOPE_MAX))
		return error_set(error, "campaign.create: the list's name is too long");
	campaign->kind = strcmp(create->kind, "transactional") == 0 ? CAMPAIGN_TRANSACTIONAL :
								      CAMPAIGN_BULK;
	campaign->is_open = create->is_open;
	campaign->doubt_policy = create->is_doubt_held ? DOUBT_HOLD : DOUBT_RESEND;
	campaign->expire_after_ms = create->expire_ms
					    ? create->expire_ms
					    : link->control->params.config->retry.expire_ms;
	if (create->deadline_ms) {
		campaign->deadline_ms = planner_deadline_of_wall(link->control->params.planner,
								 create->deadline_ms);
		if (!campaign->deadline_ms)
			return error_set(error, "campaign.create: the deadline is over");
	}
	for (size_t i = 0; i < create->column_count; i++) {
		if (i > 0)
			buf_add_char(&import->columns, '\n');
		buf_add_text(&import->columns, create->columns[i]);
	}
	import->column_count = create->column_count;
	memcpy(import->sizes, create->sizes, sizeof(import->sizes));
	return options_pack(import, create, error);
}

static bool import_make(struct control_link *link)
{
	struct control_import *import = calloc(1, sizeof(*import));

	if (!import)
		return false;
	for (size_t tag = 0; tag <= CONTROL_DATA_PARTS; tag++)
		buf_init(&import->parts[tag], CONTROL_TEMPLATE_MAX);
	buf_init(&import->columns, COLUMNS_BYTES_MAX);
	buf_init(&import->options, OPTIONS_MAX);
	link->import = import;
	link->control->import_count++;
	return true;
}

/* What can be refused before any byte of the template comes; with the code that says what it is. */
static enum control_code check_names(struct control_link *link,
				     const struct control_campaign_create *create,
				     struct error *error)
{
	struct planner *planner = link->control->params.planner;
	struct queue_campaign other;
	struct error none;

	error->text[0] = '\0';
	if (!config_customer_of(link->control->params.config, slice_of(create->customer))) {
		error_set(error, "customer %s is not in the configuration", create->customer);
		return CONTROL_NOT_FOUND;
	}
	if (planner_campaign_find(planner, slice_of(create->name), &other, &none)) {
		error_set(error, "there is a campaign named \"%s\" already (%u, %s)", create->name,
			  other.id, queue_campaign_state_name(other.state));
		return CONTROL_CONFLICT;
	}
	if (planner_takes_recipients(planner, error) &&
	    link->control->import_count >= IMPORTS_MAX)
		error_set(error, "%d imports are under way already", IMPORTS_MAX);
	return CONTROL_FULL;
}

void control_create_begin(struct control_link *link, const struct control_request *request)
{
	struct control_campaign_create create;
	enum control_code code;
	struct error error;

	if (!control_read_create(request, &create, &error)) {
		refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	code = check_names(link, &create, &error);
	if (error.text[0]) {
		refuse(link, code, error.text);
		return;
	}
	if (!import_make(link)) {
		refuse(link, CONTROL_FAILED, "out of memory for an import");
		return;
	}
	if (!import_fill(link, &create, &error)) {
		refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	link->state = LINK_IMPORT;
	log_info("send", "command", "command=campaign.create campaign=%s customer=%s", create.name,
		 create.customer);
}

/* ---- the template ---- */

static bool is_complete(const struct control_import *import)
{
	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++) {
		if (import->parts[tag].len < import->sizes[tag])
			return false;
	}
	return true;
}

/* Compiles and makes the campaign; the name may have been taken by another import meanwhile. */
static void begin_intake(struct control_link *link)
{
	struct control_import *import = link->import;
	struct planner *planner = link->control->params.planner;
	struct queue_campaign other;
	struct error error;
	const struct planner_source source = {
		.whole = buf_slice(&import->parts[CONTROL_DATA_WHOLE]),
		.headers = buf_slice(&import->parts[CONTROL_DATA_HEADERS]),
		.text = buf_slice(&import->parts[CONTROL_DATA_TEXT]),
		.html = buf_slice(&import->parts[CONTROL_DATA_HTML]),
		.columns = buf_slice(&import->columns),
		.options = buf_slice(&import->options),
	};

	if (planner_campaign_find(planner, slice_of(import->campaign.name), &other, &error)) {
		error_set(&error, "there is a campaign named \"%s\" already",
			  import->campaign.name);
		refuse(link, CONTROL_CONFLICT, error.text);
		return;
	}
	if (!planner_takes_recipients(planner, &error)) {
		refuse(link, CONTROL_FULL, error.text);
		return;
	}
	import->intake = planner_intake_begin(planner, &import->campaign, &source, &error);
	if (!import->intake) {
		refuse(link,
		       planner_is_broken(planner)  ? CONTROL_FAILED :
		       planner_lacks_room(planner) ? CONTROL_FULL :
						     CONTROL_REFUSED_CONTENT,
		       error.text);
		return;
	}
	free_parts(import);
}

static void take_part(struct control_link *link, enum control_data_tag tag, struct slice bytes)
{
	struct control_import *import = link->import;

	if (import->intake || bytes.len > import->sizes[tag] - import->parts[tag].len) {
		refuse(link, CONTROL_BAD_REQUEST,
		       "campaign.create: more bytes of the template than were announced");
		return;
	}
	buf_add_slice(&import->parts[tag], bytes);
	if (import->parts[tag].failed)
		refuse(link, CONTROL_FAILED, "out of memory for a template");
	else if (is_complete(import))
		begin_intake(link);
}

/* ---- rows ---- */

static bool is_domain(struct slice s)
{
	if (s.len == 0 || s.len > 253)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-' && c != '.' &&
		    c != '_')
			return false;
	}
	return true;
}

static bool is_local_part(struct slice s)
{
	bool quoted = s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';

	if (s.len == 0)
		return false;
	for (size_t i = quoted ? 1 : 0; i < s.len - (quoted ? 1 : 0); i++) {
		u8 c = (u8)s.ptr[i];
		bool escaped = quoted && c == '\\'; /* in a quoted string; nowhere else */

		if (escaped && ++i >= s.len - 1)
			return false;
		c = (u8)s.ptr[i];
		if (c < ' ' || c == 0x7f)
			return false;
		if (escaped)
			continue;
		if ((c == '"') || (!quoted && memchr(" <>()[],;:@\\", c, 12)))
			return false;
	}
	return true;
}

bool control_is_wire_address(struct slice address)
{
	struct slice domain = address_wire_domain(address);

	return domain.ptr && is_local_part(slice_first(address, address.len - domain.len - 1)) &&
	       is_domain(domain);
}

const char *control_row_problem(const struct planner_recipient *row, size_t column_count)
{
	struct slice values[CONTROL_COLUMNS_MAX];

	if (!control_is_wire_address(row->address))
		return "not an address in the form local@domain";
	if (!row_values_unpack(row->values, values, column_count))
		return "more values than columns";
	return NULL;
}

/* Stores what has gathered; false: refused. */
static bool store_batch(struct control_link *link)
{
	struct control_import *import = link->import;
	struct planner *planner = link->control->params.planner;
	struct error error;
	bool ok = true;

	if (import->count > 0)
		ok = planner_intake_add(import->intake, import->rows, import->count, &error);
	import->count = 0;
	if (!ok)
		refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_FULL,
		       error.text);
	return ok;
}

/* Told with the reason; however many they are, the file is not taken for something else. */
static bool is_suppressed(struct control_link *link, const struct planner_recipient *row)
{
	struct planner *planner = link->control->params.planner;
	struct buf why;
	bool is_so;

	buf_init(&why, CONTROL_REASON_MAX);
	is_so = planner_asks_suppressed(planner, &link->import->campaign, row->address, &why);
	if (is_so)
		link_item(link, json_pack("{s:o, s:o}", "address", answer_text_of(row->address),
					  "reason", answer_text_of(buf_slice(&why))));
	buf_done(&why);
	return is_so;
}

static bool take_row(struct control_link *link, const struct planner_recipient *row)
{
	struct control_import *import = link->import;
	const char *reason = control_row_problem(row, import->column_count);

	if (!reason && is_suppressed(link, row))
		return true;
	if (!reason) {
		import->rows[import->count++] = *row;
		import->total++;
		return import->count < BATCH_ROWS || store_batch(link);
	}
	if (++import->refused > REFUSED_ROWS_MAX) {
		refuse(link, CONTROL_REFUSED_CONTENT, "more than 10000 rows cannot be mailed");
		return false;
	}
	link_item(link, json_pack("{s:o, s:s}", "address", answer_text_of(row->address), "reason",
				  reason));
	return true;
}

static void take_rows(struct control_link *link, struct slice bytes)
{
	struct planner_recipient row;
	enum control_row_result result;

	if (!link->import->intake) {
		refuse(link, CONTROL_BAD_REQUEST,
		       "campaign.create: rows before the template is whole");
		return;
	}
	while ((result = control_row_take(&bytes, &row.address, &row.values)) == CONTROL_ROW) {
		if (!take_row(link, &row))
			return;
	}
	if (result == CONTROL_ROWS_BAD) {
		refuse(link, CONTROL_BAD_REQUEST, "campaign.create: a batch of rows is damaged");
		return;
	}
	store_batch(link);
}

void control_create_data(struct control_link *link, struct slice payload)
{
	enum control_data_tag tag;
	struct slice bytes;
	struct error error;

	if (!control_data_open(payload, &tag, &bytes, &error))
		refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (tag == CONTROL_DATA_ROWS)
		take_rows(link, bytes);
	else
		take_part(link, tag, bytes);
}

/* ---- the end ---- */

void control_create_end(struct control_link *link)
{
	struct control_import *import = link->import;
	struct planner *planner = link->control->params.planner;
	struct planner_intake *intake = import->intake;
	struct queue_campaign campaign;
	struct error error;

	if (!intake || (import->total == 0 && !import->campaign.is_open)) {
		refuse(link, intake ? CONTROL_REFUSED_CONTENT : CONTROL_BAD_REQUEST,
		       intake ? "campaign.create: no row can be mailed"
			      : "campaign.create: the template is not whole");
		/* The END is here: nothing that comes now belongs to the import. */
		link->state = LINK_IDLE;
		return;
	}
	link->state = LINK_IDLE;
	import->intake = NULL;
	if (!planner_intake_finish(intake, &campaign, &error)) {
		free_import(link);
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_FULL,
			    error.text);
		return;
	}
	log_info("send", "campaign imported", "campaign=%s id=%u total=%llu refused=%llu",
		 campaign.name, campaign.id, (unsigned long long)campaign.total,
		 (unsigned long long)import->refused);
	free_import(link);
	link_reply(link,
		   json_pack("{s:I, s:I, s:I}", "id", (json_int_t)campaign.id, "total",
			     (json_int_t)campaign.total, "domains", (json_int_t)campaign.domains));
}
