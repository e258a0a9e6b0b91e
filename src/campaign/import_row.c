#include "campaign/import_row.h"

#include "base/text.h"
#include "base/utf8.h"
#include "campaign/intake_seen.h"
#include "store/audience_list.h"

#include <stdlib.h>

#define SHOWN_MAX 120
#define NEW_ID 0xff00u /* and a column's number: behind all ids, of which few were given */
#define REPLACED SLICE("\xef\xbf\xbd")

struct import_parser {
	const struct import_map *map;
	struct seen seen;
	struct buf address;
	struct buf key;
	struct buf values;
	struct buf form; /* one value */
	bool is_odd;	 /* the address: by no RFC's grammar */
	u16 joins[IMPORT_LISTS_MAX];
	struct import_report findings[IMPORT_FINDINGS_MAX];
	struct error error;
};

/* ---- the map ---- */

/* Of a dry run: nobody has made it yet, unless somebody did meanwhile. */
static enum store_result load_new(struct import_map *map, struct audience_txn *txn, u32 i,
				  const struct import *import)
{
	struct import_column *column = &map->columns[i];
	enum store_result result = STORE_NOT_FOUND;
	struct attribute attribute;
	struct slice name;
	struct slice label;

	if (import_new_name(import, i, &name, &label))
		result = attribute_find(txn, name, &attribute);
	if (result == STORE_OK) {
		*column = (struct import_column){ IMPORT_ATTRIBUTE, attribute.id };
		return STORE_OK;
	}
	if (result != STORE_NOT_FOUND)
		return result;
	map->types[i] = (enum attribute_type)column->id;
	*column = (struct import_column){ IMPORT_ATTRIBUTE, (u16)(NEW_ID + i) };
	map->order[map->order_count++] = i;
	return STORE_OK;
}

static enum store_result load_column(struct import_map *map, struct audience_txn *txn, u32 i,
				     struct arena *arena)
{
	struct import_column *column = &map->columns[i];
	struct attribute attribute;
	struct audience_list list;
	enum store_result result = STORE_OK;

	if (column->target == IMPORT_EMAIL)
		map->email = i;
	if (column->target == IMPORT_LIST)
		result = audience_list_get(txn, column->id, &list);
	if (column->target == IMPORT_ATTRIBUTE) {
		result = attribute_get(txn, column->id, &attribute);
		if (result == STORE_OK) {
			map->types[i] = attribute.type;
			map->choices[i] = arena_copy(arena, attribute.choices);
			if (!map->choices[i].ptr)
				return STORE_FULL;
			map->order[map->order_count++] = i;
		}
	}
	if (result != STORE_NOT_FOUND)
		return result;
	column->target = IMPORT_IGNORE;
	return STORE_OK;
}

static void sort_order(struct import_map *map)
{
	for (u32 i = 1; i < map->order_count; i++) {
		u32 moved = map->order[i];
		u32 at = i;

		while (at > 0 && map->columns[map->order[at - 1]].id > map->columns[moved].id) {
			map->order[at] = map->order[at - 1];
			at--;
		}
		map->order[at] = moved;
	}
}

enum store_result import_map_load(struct import_map *map, struct audience_txn *txn,
				  const struct import *import, struct arena *arena)
{
	*map = (struct import_map){ .column_count = import->column_count,
				    .email = IMPORT_COLUMNS_MAX,
				    .empties_count = import->update == IMPORT_OVERWRITE };
	memcpy(map->columns, import->columns, sizeof(map->columns));
	for (u32 i = 0; i < map->column_count; i++) {
		enum store_result result = STORE_OK;

		if (map->columns[i].target == IMPORT_NEW)
			result = load_new(map, txn, i, import);
		if (result == STORE_OK && map->columns[i].id < NEW_ID)
			result = load_column(map, txn, i, arena);
		if (result != STORE_OK)
			return result;
	}
	sort_order(map);
	return map->email < IMPORT_COLUMNS_MAX ? STORE_OK : STORE_NOT_FOUND;
}

/* ---- the parser ---- */

struct import_parser *import_parser_open(const struct import_map *map)
{
	struct import_parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		return NULL;
	parser->map = map;
	seen_init(&parser->seen);
	buf_init(&parser->address, ADDRESS_WIRE_MAX);
	buf_init(&parser->key, 2 * ADDRESS_WIRE_MAX);
	buf_init(&parser->values, 2 * CONTACT_VALUES_MAX);
	buf_init(&parser->form, CONTACT_VALUE_MAX);
	return parser;
}

void import_parser_close(struct import_parser *parser)
{
	if (!parser)
		return;
	seen_done(&parser->seen);
	buf_done(&parser->address);
	buf_done(&parser->key);
	buf_done(&parser->values);
	buf_done(&parser->form);
	free(parser);
}

struct slice import_shown(struct slice text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((u8)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return slice_first(text, max);
}

static void note(struct import_parser *parser, struct import_row *row, enum import_kind kind,
		 u8 problem, u32 column, struct slice text)
{
	if (row->finding_count == IMPORT_FINDINGS_MAX)
		return;
	parser->findings[row->finding_count++] =
		(struct import_report){ .line = row->line,
					.kind = (u8)kind,
					.problem = problem,
					.column = (u16)column,
					.text = import_shown(text, SHOWN_MAX) };
}

/* A sentence may quote what was cut within a character. */
static void make_whole(char *text)
{
	i64 bad;

	while ((bad = utf8_find_bad(slice_of(text))) >= 0)
		text[bad] = '?';
}

/* Its cells behind those that columns have names for are empty, or there are none. */
static bool has_width(const struct import_map *map, const struct csv_row *from)
{
	if (from->count < map->column_count)
		return false;
	for (size_t i = map->column_count; i < from->count; i++) {
		if (from->fields[i].len > 0)
			return false;
	}
	return true;
}

static bool is_readable(struct import_parser *parser, const struct csv_row *from,
			struct import_row *row)
{
	const struct import_map *map = parser->map;

	if (map->is_exact)
		return true;
	for (u32 i = 0; i < map->column_count; i++) {
		if (map->columns[i].target == IMPORT_IGNORE ||
		    slice_find(from->fields[i], REPLACED) < 0)
			continue;
		note(parser, row, IMPORT_UNREADABLE, 0, i + 1, from->fields[i]);
		return false;
	}
	return true;
}

static bool take_address(struct import_parser *parser, struct slice cell, struct import_row *row)
{
	u32 column = parser->map->email + 1;
	struct address address;

	cell = value_undo_guard(value_trim(cell));
	if (cell.len == 0) {
		note(parser, row, IMPORT_ADDRESS_NONE, 0, column, SLICE_NONE);
		return false;
	}
	if (!address_parse(&address, cell, &parser->error)) {
		make_whole(parser->error.text);
		note(parser, row, IMPORT_ADDRESS_BAD, 0, column, slice_of(parser->error.text));
		return false;
	}
	buf_reset(&parser->address);
	buf_reset(&parser->key);
	address_add_wire(&address, &parser->address);
	address_add_key(&address, &parser->key);
	parser->is_odd = address.not_dot_atom;
	return !parser->address.failed && !parser->key.failed;
}

static void take_value(struct import_parser *parser, u32 column, struct slice cell,
		       struct import_row *row)
{
	const struct import_map *map = parser->map;
	enum value_problem problem;

	buf_reset(&parser->form);
	problem = value_read(&parser->form, map->types[column], map->choices[column],
			     value_undo_guard(cell));
	if (problem != VALUE_GOOD) {
		note(parser, row, IMPORT_VALUE_BAD, (u8)problem, column + 1, cell);
		row->values_bad++;
	} else if (parser->form.len > 0 || map->empties_count) {
		contact_put_value(&parser->values, map->columns[column].id,
				  buf_slice(&parser->form));
	}
}

/* Whoever has a yes there joins; no, nothing, or anything else does not. */
static void take_list(struct import_parser *parser, u32 column, struct slice cell,
		      struct import_row *row)
{
	enum value_problem problem;

	buf_reset(&parser->form);
	problem = value_read(&parser->form, ATTRIBUTE_YES_NO, SLICE_NONE, cell);
	if (problem != VALUE_GOOD) {
		note(parser, row, IMPORT_VALUE_BAD, (u8)problem, column + 1, cell);
		row->values_bad++;
	} else if (slice_equal(buf_slice(&parser->form), SLICE("1")) &&
		   row->join_count < IMPORT_LISTS_MAX) {
		parser->joins[row->join_count++] = parser->map->columns[column].id;
	}
}

static void take_state(struct import_parser *parser, u32 column, struct slice cell,
		       struct import_row *row)
{
	cell = value_trim(value_undo_guard(cell));
	if (cell.len == 0 || import_read_state(cell, &row->state))
		return;
	note(parser, row, IMPORT_VALUE_BAD, VALUE_NO_STATE, column + 1, cell);
	row->values_bad++;
}

static bool take_values(struct import_parser *parser, const struct csv_row *from,
			struct import_row *row)
{
	const struct import_map *map = parser->map;

	buf_reset(&parser->values);
	for (u32 i = 0; i < map->order_count; i++)
		take_value(parser, map->order[i], from->fields[map->order[i]], row);
	for (u32 i = 0; i < map->column_count; i++) {
		if (map->columns[i].target == IMPORT_LIST)
			take_list(parser, i, from->fields[i], row);
		else if (map->columns[i].target == IMPORT_STATE)
			take_state(parser, i, from->fields[i], row);
	}
	if (!parser->values.failed && parser->values.len <= CONTACT_VALUES_MAX)
		return true;
	note(parser, row, IMPORT_TOO_LARGE, 0, 0, SLICE_NONE);
	return false;
}

bool import_parser_take(struct import_parser *parser, const struct csv_row *from, const char *why,
			struct import_row *row)
{
	row->line = from->line;
	row->address = SLICE_NONE;
	row->key = SLICE_NONE;
	row->values = SLICE_NONE;
	row->joins = parser->joins;
	row->join_count = 0;
	row->state = 0;
	row->suppressed = 0;
	row->findings = parser->findings;
	row->finding_count = 0;
	row->values_bad = 0;
	if (why) {
		slice_copy(parser->error.text, sizeof(parser->error.text), slice_of(why));
		make_whole(parser->error.text);
		note(parser, row, IMPORT_ROW_BAD, 0, 0, slice_of(parser->error.text));
		return true;
	}
	if (!has_width(parser->map, from)) {
		note(parser, row, IMPORT_ROW_WIDTH, 0, 0, SLICE_NONE);
		return true;
	}
	if (!is_readable(parser, from, row) ||
	    !take_address(parser, from->fields[parser->map->email], row))
		return true;
	switch (seen_add(&parser->seen, buf_slice(&parser->key))) {
	case SEEN_NO_MEMORY:
		return false;
	case SEEN_BEFORE:
		note(parser, row, IMPORT_DUPLICATE, 0, parser->map->email + 1,
		     buf_slice(&parser->address));
		return true;
	case SEEN_NEW:
		break;
	}
	if (parser->is_odd)
		note(parser, row, IMPORT_ADDRESS_ODD, 0, parser->map->email + 1,
		     buf_slice(&parser->address));
	if (!take_values(parser, from, row))
		return true;
	row->address = buf_slice(&parser->address);
	row->key = buf_slice(&parser->key);
	row->values = buf_slice(&parser->values);
	return true;
}

/* ---- states ---- */

bool import_read_state(struct slice text, enum contact_state *state)
{
	static const struct {
		const char *word;
		enum contact_state state;
	} words[] = {
		{ "pending", CONTACT_PENDING },	       { "確認待ち", CONTACT_PENDING },
		{ "active", CONTACT_ACTIVE },	       { "有効", CONTACT_ACTIVE },
		{ "subscribed", CONTACT_ACTIVE },      { "配信中", CONTACT_ACTIVE },
		{ "bounced", CONTACT_BOUNCED },	       { "不達", CONTACT_BOUNCED },
		{ "cleaned", CONTACT_BOUNCED },	       { "エラー", CONTACT_BOUNCED },
		{ "unsubscribed", CONTACT_UNSUBSCRIBED }, { "配信停止", CONTACT_UNSUBSCRIBED },
		{ "退会", CONTACT_UNSUBSCRIBED },      { "解除", CONTACT_UNSUBSCRIBED },
		{ "complained", CONTACT_COMPLAINED },  { "迷惑メール報告", CONTACT_COMPLAINED },
	};

	for (size_t i = 0; i < array_count(words); i++) {
		if (slice_equal_nocase(text, slice_of(words[i].word))) {
			*state = words[i].state;
			return true;
		}
	}
	return false;
}

/* ---- which column is what ---- */

bool import_is_state_name(struct slice name)
{
	name = value_trim(name);
	return slice_equal_nocase(name, SLICE("state")) ||
	       slice_equal_nocase(name, SLICE("status")) || slice_equal(name, SLICE("状態")) ||
	       slice_equal(name, SLICE("ステータス"));
}

bool import_is_email_name(struct slice name)
{
	static const char *const names[] = { "email",	      "e-mail",	    "mail",
					     "emailaddress",  "mailaddress", "email address",
					     "e-mail address", "mail address", "email_address",
					     "mail_address",  "メール",	    "メールアドレス",
					     "Eメール",	      "Ｅメール",    "Eメールアドレス",
					     "電子メール",    "電子メールアドレス", "アドレス" };

	name = value_trim(name);
	for (size_t i = 0; i < array_count(names); i++) {
		if (slice_equal_nocase(name, slice_of(names[i])))
			return true;
	}
	return false;
}
