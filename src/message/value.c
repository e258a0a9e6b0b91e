#include "message/value.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/html_entity.h"
#include "message/list_value.h"
#include "message/value_date.h"
#include "message/value_number.h"

#include <string.h>

void value_maker_init(struct value_maker *maker, const struct message *message,
		      const struct message_recipient *recipient, struct buf work[2],
		      struct error *error)
{
	char date[CLOCK_RFC3339_SIZE];
	struct buf email = { .ptr = maker->email,
			     .size = sizeof(maker->email),
			     .max = sizeof(maker->email) };

	maker->message = message;
	maker->recipient = recipient;
	maker->work = work;
	maker->turn = 0;
	maker->loop_count = 0;
	maker->steps = 0;
	maker->error = error;
	address_add_wire(recipient->address, &email);
	maker->email_len = email.len;
	clock_format_rfc3339(date, recipient->date_ms);
	memcpy(maker->date, date, sizeof(maker->date));
}

struct buf *value_next_buffer(struct value_maker *maker)
{
	struct buf *buf = &maker->work[maker->turn++ & 1];

	buf_reset(buf);
	return buf;
}

bool value_refuse(const struct value_maker *maker, const struct template_field *field,
		  const char *why)
{
	return error_set(maker->error, "%s:%u: %s \"%.*s\": %s",
			 field->block ? field->block : maker->message->name, field->line,
			 field->kind == TEMPLATE_FIELD ? "field" : "tag", SLICE_FMT(field->name),
			 why);
}

/* What the loop around has to say. */
static struct slice look_up_item(const struct value_maker *maker,
				 const struct template_field *field, char room[24])
{
	const struct value_loop *loop = &maker->loops[field->loop];
	struct buf number = { .ptr = room, .size = 24, .max = 24 };

	switch (field->column) {
	case FIELD_INDEX:
		buf_add_u64(&number, loop->index);
		return buf_slice(&number);
	case FIELD_FIRST:
		return loop->index == 1 ? SLICE("1") : SLICE_NONE;
	case FIELD_LAST:
		return loop->rest.len == 0 ? SLICE("1") : SLICE_NONE;
	default:
		return field->member.len > 0 ? object_value_find(loop->item, field->member)
					     : loop->item;
	}
}

static struct slice look_up(struct value_maker *maker, const struct template_field *field)
{
	const struct message_recipient *recipient = maker->recipient;

	if (field->column <= FIELD_ITEM)
		return look_up_item(maker, field, maker->number);

	switch (field->column) {
	case FIELD_EMAIL:
		return (struct slice){ maker->email, maker->email_len };
	case FIELD_TOKEN:
		return recipient->token;
	case FIELD_CAMPAIGN:
		return recipient->campaign;
	case FIELD_DATE:
		return (struct slice){ maker->date, sizeof(maker->date) };
	default:
		return (size_t)field->column < recipient->value_count
			       ? recipient->values[field->column]
			       : SLICE_NONE;
	}
}

/* White space at both ends, the ideographic space that Japanese keyboards type included. */
static struct slice trim(struct slice s)
{
	static const struct slice wide = { "\xe3\x80\x80", 3 };

	for (;;) {
		if (s.len > 0 && strchr(" \t\r\n", s.ptr[0]) && s.ptr[0])
			s = slice_from(s, 1);
		else if (slice_has_prefix(s, wide))
			s = slice_from(s, 3);
		else
			break;
	}
	for (;;) {
		if (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
			s.len--;
		else if (s.len >= 3 && memcmp(s.ptr + s.len - 3, wide.ptr, 3) == 0)
			s.len -= 3;
		else
			break;
	}
	return s;
}

static void add_case(struct buf *out, struct slice s, u32 (*map)(u32))
{
	while (s.len > 0) {
		u32 code = 0;
		size_t len = utf8_decode(s, &code);
		char bytes[4];

		buf_add(out, bytes, utf8_encode(bytes, map(code)));
		s = slice_from(s, len);
	}
}

/* RFC 3986 section 2.3: everything but the unreserved characters is encoded. */
static void add_percent(struct buf *out, struct slice s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		u8 c = (u8)s.ptr[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-' || c == '.' ||
		    c == '_' || c == '~')
			buf_add_char(out, (char)c);
		else
			buf_add(out, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

static void add_html(struct buf *out, struct slice s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char *escape = html_escape_of(s.ptr[i]);

		if (!escape)
			continue;
		buf_add(out, s.ptr + from, i - from);
		buf_add_text(out, escape);
		from = i + 1;
	}
	buf_add_slice(out, slice_from(s, from));
}

static void add_lf_lines(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n')
			continue;
		buf_add_char(out, s.ptr[i] == '\r' ? '\n' : s.ptr[i]);
	}
}

static bool needs_html(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (html_escape_of(s.ptr[i]))
			return true;
	}
	return false;
}

static void add_date(struct buf *out, const struct template_field *field, struct slice value)
{
	struct value_date date;

	if (value_date_read(value, &date))
		value_date_add(out, &date, field->format);
	else
		buf_add_slice(out, value);
}

/* One filter; false when memory's maximum is reached. */
static bool apply(struct value_maker *maker, const struct template_field *field, u8 filter,
		  struct slice *value)
{
	struct buf *out;

	switch (filter) {
	case FILTER_DEFAULT:
		if (value->len == 0)
			*value = field->fallback;
		return true;
	case FILTER_TRIM:
		*value = trim(*value);
		return true;
	case FILTER_RAW:
		return true;
	}
	out = value_next_buffer(maker);
	if (filter == FILTER_UPPER)
		add_case(out, *value, utf8_upper);
	else if (filter == FILTER_LOWER)
		add_case(out, *value, utf8_lower);
	else if (filter == FILTER_DATE)
		add_date(out, field, *value);
	else if (filter == FILTER_NUMBER)
		value_number_add(out, *value);
	else
		add_percent(out, *value);
	*value = buf_slice(out);
	return !out->failed;
}

/*
 * Schemes that make a program of a link; images may come as data. What stands in front of the colon
 * is read as browsers do: white space and control characters are not there.
 */
static bool is_program(struct slice url)
{
	static const struct slice schemes[] = { SLICE("javascript"), SLICE("vbscript"),
						SLICE("data") };
	i64 colon = slice_find_char(url, ':');
	char name[16];
	size_t len = 0;

	for (size_t i = 0; i < url.len && url.ptr[i] != ':'; i++) {
		if ((u8)url.ptr[i] <= 0x20)
			continue;
		if (len == sizeof(name))
			return false;
		name[len++] = url.ptr[i];
	}
	for (size_t i = 0; i < array_count(schemes); i++) {
		if (slice_equal_nocase((struct slice){ name, len }, schemes[i]))
			return colon >= 0 && !slice_has_prefix_nocase(
						     slice_from(url, (size_t)colon + 1),
						     SLICE("image/"));
	}
	return false;
}

/* The last step: what the place asks for. */
static bool escape(struct value_maker *maker, const struct template_field *field,
		   struct slice *value)
{
	struct buf *out;

	if (field->place == PLACE_HEADER) {
		if (slice_find_char(*value, '\n') >= 0 || slice_find_char(*value, '\r') >= 0)
			return value_refuse(maker, field,
					    "a line end cannot stand in a header field");
		return true;
	}
	if (field->place == PLACE_HTML_URL && is_program(*value))
		return value_refuse(maker, field, "a link cannot be a script or data");
	if (field->place == PLACE_HEADER_URL || field->place == PLACE_HTML_QUERY) {
		out = value_next_buffer(maker);
		add_percent(out, *value);
		*value = buf_slice(out);
		return !out->failed || value_refuse(maker, field, "the value is too big");
	}
	if (slice_find_char(*value, '\r') >= 0) {
		out = value_next_buffer(maker);
		add_lf_lines(out, *value);
		*value = buf_slice(out);
		if (out->failed)
			return value_refuse(maker, field, "the value is too big");
	}
	if ((field->place != PLACE_HTML && field->place != PLACE_HTML_URL) || field->raw ||
	    !needs_html(*value))
		return true;
	out = value_next_buffer(maker);
	add_html(out, *value);
	*value = buf_slice(out);
	return !out->failed || value_refuse(maker, field, "the value is too big");
}

bool value_filtered(struct value_maker *maker, const struct template_field *field,
		    struct slice *value)
{
	*value = look_up(maker, field);
	if (value_is_list(*value) || value_is_object(*value))
		return true;
	if (value->len > 0 && !utf8_is_valid(*value))
		return value_refuse(maker, field, "the value is not valid UTF-8");
	if (slice_find_char(*value, '\0') >= 0)
		return value_refuse(maker, field, "the value holds a NUL byte");
	for (u32 i = 0; i < field->filter_count; i++) {
		if (!apply(maker, field, field->filters[i], value))
			return value_refuse(maker, field, "the value is too big");
	}
	return true;
}

bool value_get(struct value_maker *maker, const struct template_field *field, struct slice *value)
{
	if (!value_filtered(maker, field, value))
		return false;
	if (value_is_list(*value) || value_is_object(*value))
		return value_refuse(maker, field,
				    "the value is a list: {{#each}} writes its items");
	return escape(maker, field, value);
}
