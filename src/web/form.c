#include "web/form.h"

#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

void form_init(struct form *form)
{
	form->count = 0;
	buf_init(&form->bytes, FORM_BYTES_MAX);
}

void form_done(struct form *form)
{
	buf_done(&form->bytes);
	form->count = 0;
}

static struct slice view(const struct form *form, u32 at, u32 len)
{
	/* An empty value is there all the same: its pointer is not NULL. */
	return len > 0 ? (struct slice){ form->bytes.ptr + at, len } : SLICE("");
}

struct slice form_name_at(const struct form *form, u32 index)
{
	return view(form, form->fields[index].name_at, form->fields[index].name_len);
}

struct slice form_value_at(const struct form *form, u32 index)
{
	return view(form, form->fields[index].value_at, form->fields[index].value_len);
}

static enum form_result failure_of(const struct form *form)
{
	return form->bytes.no_memory ? FORM_NO_MEMORY : FORM_TOO_MUCH;
}

/* Decodes to the end of the form's bytes: where it stands and how long it is. */
static enum form_result decode(struct form *form, struct slice text, u32 *at, u32 *len)
{
	size_t start = form->bytes.len;
	char *out = buf_reserve(&form->bytes, text.len + 1);
	size_t used = 0;

	if (!out)
		return failure_of(form);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < text.len ? ascii_hex_value(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? ascii_hex_value(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return FORM_BAD;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return FORM_BAD;
		out[used++] = c;
	}
	if (!utf8_is_valid((struct slice){ out, used }))
		return FORM_BAD;
	buf_advance(&form->bytes, used);
	*at = (u32)start;
	*len = (u32)used;
	return FORM_OK;
}

enum form_result form_parse(struct form *form, struct slice text)
{
	while (text.ptr) {
		struct slice value = slice_split(&text, '&');
		struct form_field *field = &form->fields[form->count];
		enum form_result result;
		struct slice name;

		if (value.len == 0)
			continue;
		if (form->count == FORM_FIELDS_MAX)
			return FORM_TOO_MUCH;
		name = slice_split(&value, '=');
		result = decode(form, name, &field->name_at, &field->name_len);
		if (result == FORM_OK)
			result = decode(form, value, &field->value_at, &field->value_len);
		if (result != FORM_OK)
			return result;
		form->count++;
	}
	return FORM_OK;
}

enum form_result form_add(struct form *form, struct slice name, struct slice value)
{
	struct form_field *field = &form->fields[form->count];

	if (form->count == FORM_FIELDS_MAX)
		return FORM_TOO_MUCH;
	if ((name.len > 0 && memchr(name.ptr, 0, name.len)) ||
	    (value.len > 0 && memchr(value.ptr, 0, value.len)) || !utf8_is_valid(name) ||
	    !utf8_is_valid(value))
		return FORM_BAD;
	field->name_at = (u32)form->bytes.len;
	field->name_len = (u32)name.len;
	buf_add_slice(&form->bytes, name);
	field->value_at = (u32)form->bytes.len;
	field->value_len = (u32)value.len;
	buf_add_slice(&form->bytes, value);
	if (form->bytes.failed)
		return failure_of(form);
	form->count++;
	return FORM_OK;
}

struct slice form_next(const struct form *form, const char *name, u32 *at)
{
	while (*at < form->count) {
		u32 index = (*at)++;

		if (slice_equal(form_name_at(form, index), slice_of(name)))
			return form_value_at(form, index);
	}
	return SLICE_NONE;
}

struct slice form_get(const struct form *form, const char *name)
{
	u32 at = 0;

	return form_next(form, name, &at);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice form_text(const struct form *form, const char *name)
{
	struct slice text = form_get(form, name);

	if (!text.ptr)
		return SLICE("");
	while (text.len > 0 && is_space(text.ptr[0]))
		text = slice_from(text, 1);
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool form_is_moment(struct slice text, char between)
{
	static const char shape[] = "0000-00-00 00:00";

	if (text.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char wanted = shape[i] == ' ' ? between : shape[i];

		if (wanted == '0' ? !ascii_is_digit(text.ptr[i]) : text.ptr[i] != wanted)
			return false;
	}
	return true;
}

struct slice form_moment(const struct form *form, const char *name, char out[FORM_MOMENT_SIZE])
{
	struct slice text = form_text(form, name);
	struct slice minutes = slice_first(text, FORM_MOMENT_SIZE - 1);

	if (!form_is_moment(minutes, 'T') ||
	    (text.len > minutes.len &&
	     !slice_equal(slice_from(text, minutes.len), SLICE(":00"))))
		return text;
	slice_copy(out, FORM_MOMENT_SIZE, minutes);
	out[strlen("2026-12-01")] = ' ';
	return (struct slice){ out, minutes.len };
}

bool form_has(const struct form *form, const char *name)
{
	return form_get(form, name).ptr != NULL;
}

bool form_number(const struct form *form, const char *name, u64 *out)
{
	struct slice text = form_text(form, name);

	return text.len == 0 || slice_to_u64(text, out);
}
