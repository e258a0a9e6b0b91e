#include "web/mail_rows.h"

#include "base/map.h"
#include "base/text.h"
#include "control/letter.h"
#include "message/address.h"
#include "store/row_values.h"
#include "web/field.h"
#include "web/list_json.h"

#include <string.h>

#define ROWS_MAX (48u << 20)	   /* bytes of all rows */
#define BATCH_MAX (512u << 10)	   /* of the rows in one frame */
#define MADE_MAX (CONTROL_VALUES_MAX + CONTROL_COLUMNS_MAX * LIST_JSON_TEXT_MAX)
#define NAME_MAX_BYTES 256

/* What is needed while `to` is read. */
struct reading {
	struct mail_rows *rows;
	struct call *call;
	struct map seen;  /* keys of addresses */
	struct buf keys;  /* their bytes; has room for all from the start */
	struct buf packed;
	struct buf made; /* values that are no texts in JSON */
	struct slice values[CONTROL_COLUMNS_MAX];
};

void mail_rows_init(struct mail_rows *rows)
{
	*rows = (struct mail_rows){ .rejected = json_array() };
	buf_init(&rows->bytes, ROWS_MAX);
}

void mail_rows_done(struct mail_rows *rows)
{
	buf_done(&rows->bytes);
	json_decref(rows->rejected);
	rows->rejected = NULL;
}

/* ---- columns ---- */

static bool is_column(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && name[i] != '_' &&
		    name[i] != '-')
			return false;
	}
	return len > 0 && len <= 64 && name[0] != '_' && strcmp(name, "email") != 0;
}

static i64 find_column(const struct mail_rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->column_count; i++) {
		if (strcmp(rows->columns[i], name) == 0)
			return (i64)i;
	}
	return -1;
}

static bool add_column(struct mail_rows *rows, const char *name)
{
	if (find_column(rows, name) >= 0)
		return true;
	if (rows->column_count == CONTROL_COLUMNS_MAX)
		return false;
	rows->columns[rows->column_count++] = name;
	return true;
}

static bool collect_values(struct reading *reading, const json_t *values, const char *base)
{
	char pointer[FIELD_POINTER_MAX];
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)values, name, value) {
		const char *why = NULL;

		if (!is_column(name))
			why = "names of values have 1 to 64 of letters, digits, - and _, none in "
			      "front, and are not \"email\"";
		else if (json_is_object(value))
			why = "a value must be text, a number, true, false, or a list";
		else if (list_json_depth(value) > LIST_JSON_DEPTH_MAX)
			why = "lists and objects stand inside each other too deeply";
		else if (!add_column(reading->rows, name))
			why = "too many different values";
		if (why) {
			call_refuse(reading->call, 422, field_pointer(pointer, base, name), "%s",
				    why);
			return false;
		}
	}
	return true;
}

/* The first walk: shapes and columns. */
static bool look_at_one(struct reading *reading, const json_t *one, const char *base)
{
	static const char *const names[] = { "address", "name", "values", NULL };
	struct mail_rows *rows = reading->rows;
	struct call *call = reading->call;
	char pointer[FIELD_POINTER_MAX];
	const json_t *values;
	const char *text;

	if (json_is_string(one))
		return true;
	if (!json_is_object(one)) {
		call_refuse(call, 422, base, "a recipient is an address, or an object with one");
		return false;
	}
	if (!field_known(call, one, base, names) ||
	    !field_text(call, one, base, "name", NAME_MAX_BYTES, &text) ||
	    !field_object(call, one, base, "values", &values) ||
	    !collect_values(reading, values, field_pointer(pointer, base, "values")))
		return false;
	rows->has_names |= text != NULL;
	return true;
}

/* ---- rows ---- */

/* A value as text or list. What is no text in JSON is written into room that does not move. */
static struct slice value_text(struct reading *reading, const json_t *value)
{
	size_t before = reading->made.len;

	if (json_is_string(value))
		return (struct slice){ json_string_value(value), json_string_length(value) };
	if (!list_json_pack(value, &reading->made))
		reading->made.failed = true;
	return slice_from(buf_slice(&reading->made), before);
}

static void set_value(struct reading *reading, const char *column, struct slice value)
{
	i64 at = find_column(reading->rows, column);

	if (at >= 0)
		reading->values[at] = value;
}

static void fill_values(struct reading *reading, const json_t *one)
{
	const json_t *values = json_object_get(one, "values");
	const json_t *name = json_object_get(one, "name");
	const char *column;
	json_t *value;

	memset(reading->values, 0, sizeof(reading->values));
	buf_reset(&reading->made);
	if (json_is_string(name)) {
		struct slice text = { json_string_value(name), json_string_length(name) };

		set_value(reading, MAIL_NAME_COLUMN, text);
		set_value(reading, "name", text);
	}
	json_object_foreach((json_t *)(uintptr_t)values, column, value) {
		set_value(reading, column, value_text(reading, value));
	}
}

/* False: the address is there already. */
static bool add_key(struct reading *reading, const struct address *address, bool *is_new)
{
	size_t before = reading->keys.len;
	struct slice key;

	address_add_key(address, &reading->keys);
	key = slice_from(buf_slice(&reading->keys), before);
	*is_new = !map_find(&reading->seen, key);
	return !*is_new || map_add(&reading->seen, key, (char *)(uintptr_t)key.ptr);
}

static bool refuse_memory(struct reading *reading)
{
	call_refuse(reading->call, 503, NULL, "no memory");
	return false;
}

static bool reject(struct reading *reading, const char *text, const char *reason)
{
	return json_array_append_new(reading->rows->rejected,
				     json_pack("{s:s, s:s}", "address", text, "reason", reason)) ==
		       0 ||
	       refuse_memory(reading);
}

static bool add_row(struct reading *reading, const json_t *one, const struct address *address,
		    const char *base)
{
	struct mail_rows *rows = reading->rows;
	char wire[ADDRESS_WIRE_MAX + 1];
	struct buf out = { .ptr = wire, .size = sizeof(wire), .max = sizeof(wire) };

	address_add_wire(address, &out);
	fill_values(reading, one);
	buf_reset(&reading->packed);
	row_values_pack(&reading->packed, reading->values, rows->column_count);
	if (reading->packed.no_memory || reading->made.no_memory)
		return refuse_memory(reading);
	if (reading->packed.failed || reading->made.failed ||
	    reading->packed.len > CONTROL_VALUES_MAX) {
		call_refuse(reading->call, 422, base, "the values have more than %d bytes",
			    CONTROL_VALUES_MAX);
		return false;
	}
	control_row_add(&rows->bytes, buf_slice(&out), buf_slice(&reading->packed));
	rows->count++;
	if (rows->bytes.failed && !rows->bytes.no_memory) {
		call_refuse(reading->call, 422, "/to", "the values have too many bytes in all");
		return false;
	}
	return !rows->bytes.failed || refuse_memory(reading);
}

static bool take_one(struct reading *reading, const json_t *one, const char *base)
{
	const json_t *member = json_is_string(one) ? one : json_object_get(one, "address");
	const char *text = json_string_value(member);
	char pointer[FIELD_POINTER_MAX];
	struct address address;
	struct error error;
	bool is_new;

	if (!json_is_string(one))
		base = field_pointer(pointer, base, "address");
	if (!text) {
		call_refuse(reading->call, 422, base, "a recipient needs an address");
		return false;
	}
	if (!address_parse(&address, (struct slice){ text, json_string_length(member) }, &error)) {
		call_refuse(reading->call, 422, base, "%s", error.text);
		return false;
	}
	if (!add_key(reading, &address, &is_new))
		return refuse_memory(reading);
	if (!is_new)
		return reject(reading, text, "the address is there twice");
	return add_row(reading, one, &address, base);
}

/* ---- all ---- */

static bool add_name_columns(struct reading *reading)
{
	struct mail_rows *rows = reading->rows;

	if (!rows->has_names)
		return true;
	if (add_column(rows, MAIL_NAME_COLUMN) && add_column(rows, "name"))
		return true;
	call_refuse(reading->call, 422, "/to", "too many different values");
	return false;
}

static bool read_list(struct reading *reading, const json_t *to)
{
	char base[FIELD_POINTER_MAX];

	for (size_t i = 0; i < json_array_size(to); i++) {
		if (!look_at_one(reading, json_array_get(to, i), field_pointer_at(base, "/to", i)))
			return false;
	}
	if (!add_name_columns(reading))
		return false;
	/* What map entries and values point to must not move. */
	if (!buf_reserve(&reading->keys, json_array_size(to) * (ADDRESS_WIRE_MAX + 1)) ||
	    !buf_reserve(&reading->made, MADE_MAX))
		return refuse_memory(reading);
	for (size_t i = 0; i < json_array_size(to); i++) {
		if (!take_one(reading, json_array_get(to, i), field_pointer_at(base, "/to", i)))
			return false;
	}
	return true;
}

bool mail_rows_read(struct mail_rows *rows, struct call *call)
{
	struct reading reading = { .rows = rows, .call = call };
	const json_t *to;
	bool is_done;

	if (!field_list(call, call->json, "", "to", MAIL_ROWS_MAX, &to))
		return false;
	if (!to || json_array_size(to) == 0) {
		call_refuse(call, 422, "/to", "to must be a list with one recipient at least");
		return false;
	}
	map_init(&reading.seen);
	buf_init(&reading.keys, MAIL_ROWS_MAX * (ADDRESS_WIRE_MAX + 1));
	buf_init(&reading.packed, CONTROL_VALUES_MAX + 1);
	buf_init(&reading.made, MADE_MAX);
	is_done = read_list(&reading, to);
	map_done(&reading.seen);
	buf_done(&reading.keys);
	buf_done(&reading.packed);
	buf_done(&reading.made);
	return is_done;
}

void mail_rows_add(const struct mail_rows *rows, struct exchange *exchange)
{
	struct slice rest = buf_slice(&rows->bytes);
	struct slice batch = { rest.ptr, 0 };
	struct slice address;
	struct slice values;

	while (control_row_take(&rest, &address, &values) == CONTROL_ROW) {
		batch.len = (size_t)(rest.ptr - batch.ptr);
		/* The largest row on top of it still fits a frame. */
		if (rest.len > 0 && batch.len < BATCH_MAX)
			continue;
		exchange_data(exchange, CONTROL_DATA_ROWS, batch);
		batch = (struct slice){ rest.ptr, 0 };
	}
}

/* Failures are the program's to ask for: nobody gets notices by mail. */
void mail_rows_add_letter(const struct mail_rows *rows, struct exchange *exchange)
{
	struct control_recipient recipient = { .orcpt = SLICE_NONE };
	struct slice rest = buf_slice(&rows->bytes);
	struct buf batch;

	buf_init(&batch, FRAME_PAYLOAD_MAX);
	while (control_row_take(&rest, &recipient.address, &recipient.values) == CONTROL_ROW) {
		control_recipient_add(&batch, &recipient);
		if (rest.len > 0 && batch.len < BATCH_MAX)
			continue;
		exchange_data(exchange, CONTROL_DATA_RECIPIENTS, buf_slice(&batch));
		if (batch.failed)
			exchange_fail(exchange);
		buf_reset(&batch);
	}
	buf_done(&batch);
}
