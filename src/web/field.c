#include "web/field.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *field_pointer(char *out, const char *base, const char *name)
{
	const size_t size = FIELD_POINTER_MAX - 1;
	struct buf text = { .ptr = out, .size = size, .max = size };

	buf_add_text(&text, base);
	buf_add_char(&text, '/');
	for (; *name; name++) {
		if (*name == '~')
			buf_add_text(&text, "~0");
		else if (*name == '/')
			buf_add_text(&text, "~1");
		else
			buf_add_char(&text, *name);
	}
	out[text.len] = '\0';
	return out;
}

const char *field_pointer_at(char *out, const char *base, size_t index)
{
	snprintf(out, FIELD_POINTER_MAX, "%s/%zu", base, index);
	return out;
}

static bool refuse(struct call *call, const char *base, const char *name, const char *why)
{
	char pointer[FIELD_POINTER_MAX];

	call_refuse(call, 422, field_pointer(pointer, base, name), "%.64s %s", name, why);
	return false;
}

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

bool field_has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

bool field_text(struct call *call, const json_t *object, const char *base, const char *name,
		size_t max, const char **out)
{
	const json_t *value = member(object, name);
	size_t len = json_string_length(value);

	*out = json_string_value(value);
	if (!value)
		return true;
	if (!*out)
		return refuse(call, base, name, "must be text");
	if (len > max)
		return refuse(call, base, name, "is too long");
	return !field_has_control((struct slice){ *out, len }) ||
	       refuse(call, base, name, "must be one line, without control characters");
}

bool field_body(struct call *call, const json_t *object, const char *base, const char *name,
		const char **out)
{
	const json_t *value = member(object, name);

	if (!value)
		return true;
	if (!json_is_string(value))
		return refuse(call, base, name, "must be text");
	*out = json_string_value(value);
	return true;
}

bool field_number(struct call *call, const json_t *object, const char *base, const char *name,
		  u64 max, u64 *out)
{
	const json_t *value = member(object, name);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (u64)json_integer_value(value) > max)
		return refuse(call, base, name, "must be a whole number that is not too large");
	*out = (u64)json_integer_value(value);
	return true;
}

bool field_moment(struct call *call, const json_t *object, const char *base, const char *name,
		  u64 *out_ms)
{
	const char *text;

	*out_ms = 0;
	if (!field_text(call, object, base, name, 64, &text))
		return false;
	if (!text)
		return true;
	if (!clock_parse_rfc3339(slice_of(text), out_ms))
		return refuse(call, base, name, "must be a time such as 2026-11-25T12:12:00+09:00");
	return *out_ms > clock_wall_ms() || refuse(call, base, name, "is over");
}

bool field_list(struct call *call, const json_t *object, const char *base, const char *name,
		size_t max, const json_t **out)
{
	const json_t *value = member(object, name);

	*out = value;
	if (!value)
		return true;
	if (!json_is_array(value))
		return refuse(call, base, name, "must be a list");
	return json_array_size(value) <= max || refuse(call, base, name, "has too many elements");
}

bool field_object(struct call *call, const json_t *object, const char *base, const char *name,
		  const json_t **out)
{
	const json_t *value = member(object, name);

	*out = value;
	return !value || json_is_object(value) || refuse(call, base, name, "must be an object");
}

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

bool field_known(struct call *call, const json_t *object, const char *base,
		 const char *const *names)
{
	const char *name;
	json_t *value;

	/* The cast: jansson's iterator takes no const, and changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (!is_among(name, names))
			return refuse(call, base, name, "is no field of this");
	}
	return true;
}
