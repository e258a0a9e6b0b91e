#include "web/multipart.h"

#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

static bool is_boundary(struct slice text)
{
	static const char marks[] = "'()+_,-./:=? ";

	if (text.len == 0 || text.len > MULTIPART_BOUNDARY_MAX || text.ptr[text.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    !memchr(marks, c, sizeof(marks) - 1))
			return false;
	}
	return true;
}

/* Cuts the next parameter off ("; name=value"), quotes taken off the value. */
static bool next_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
	i64 end;

	*rest = slice_trim(*rest);
	while (rest->len > 0 && rest->ptr[0] == ';')
		*rest = slice_trim(slice_from(*rest, 1));
	end = slice_find_char(*rest, '=');
	if (end <= 0)
		return false;
	*name = slice_trim(slice_first(*rest, (size_t)end));
	*rest = slice_trim(slice_from(*rest, (size_t)end + 1));
	if (rest->len > 0 && rest->ptr[0] == '"') {
		*rest = slice_from(*rest, 1);
		end = slice_find_char(*rest, '"');
		if (end < 0)
			return false;
		*value = slice_first(*rest, (size_t)end);
		*rest = slice_from(*rest, (size_t)end + 1);
		return true;
	}
	end = slice_find_char(*rest, ';');
	*value = slice_trim(slice_first(*rest, end < 0 ? rest->len : (size_t)end));
	*rest = slice_from(*rest, value->len);
	return true;
}

bool multipart_init(struct multipart *m, struct slice content_type)
{
	struct slice rest = content_type;
	struct slice kind = slice_trim(slice_split(&rest, ';'));
	struct slice name;
	struct slice value;

	if (!slice_equal_nocase(kind, SLICE("multipart/form-data")))
		return false;
	while (next_parameter(&rest, &name, &value)) {
		if (!slice_equal_nocase(name, SLICE("boundary")))
			continue;
		if (!is_boundary(value))
			return false;
		*m = (struct multipart){ .state = MULTIPART_IN_PREAMBLE };
		memcpy(m->delimiter, "\r\n--", 4);
		memcpy(m->delimiter + 4, value.ptr, value.len);
		m->delimiter_len = 4 + value.len;
		/* The first one may stand at the very beginning, without a line before it. */
		m->matched = 2;
		return true;
	}
	return false;
}

/* Browsers write a quote within a name as %22, CR as %0D, LF as %0A (WHATWG HTML 4.10.21.8). */
static bool keep_name(char *out, struct slice value)
{
	static const struct {
		struct slice code;
		char c;
	} rows[] = { { { "%22", 3 }, '"' }, { { "%0D", 3 }, ' ' }, { { "%0A", 3 }, ' ' } };
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		for (size_t k = 0; k < array_count(rows); k++) {
			if (slice_has_prefix_nocase(slice_from(value, i), rows[k].code)) {
				c = rows[k].c;
				i += 2;
				break;
			}
		}
		if ((u8)c < 0x20 || c == 0x7f || len == MULTIPART_NAME_MAX)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return utf8_is_valid((struct slice){ out, len });
}

static bool read_disposition(struct multipart *m, struct slice rest)
{
	struct slice kind = slice_trim(slice_split(&rest, ';'));
	struct slice name;
	struct slice value;
	bool has_name = false;

	if (!slice_equal_nocase(kind, SLICE("form-data")))
		return false;
	while (rest.ptr && next_parameter(&rest, &name, &value)) {
		if (slice_equal_nocase(name, SLICE("name"))) {
			has_name = keep_name(m->name, value);
			if (!has_name)
				return false;
		} else if (slice_equal_nocase(name, SLICE("filename"))) {
			for (size_t i = value.len; i > 0; i--) {
				if (value.ptr[i - 1] == '/' || value.ptr[i - 1] == '\\') {
					value = slice_from(value, i);
					break;
				}
			}
			m->is_file = keep_name(m->file_name, value);
			if (!m->is_file)
				return false;
		}
	}
	return has_name;
}

static bool read_head(struct multipart *m)
{
	struct slice rest = { m->head, m->head_len };
	bool has_disposition = false;

	m->name[0] = '\0';
	m->file_name[0] = '\0';
	m->is_file = false;
	while (rest.ptr) {
		struct slice value = slice_split(&rest, '\n');
		struct slice name;

		if (value.len > 0 && value.ptr[value.len - 1] == '\r')
			value.len--;
		name = slice_split(&value, ':');
		if (!slice_equal_nocase(name, SLICE("Content-Disposition")))
			continue;
		if (has_disposition || !read_disposition(m, slice_trim(value)))
			return false;
		has_disposition = true;
	}
	return has_disposition;
}

static enum multipart_event bad(struct multipart *m)
{
	m->state = MULTIPART_IS_BAD;
	return MULTIPART_BAD;
}

/* Bytes up to the next delimiter; CR is its first character and stands nowhere else in it. */
static enum multipart_event run_data(struct multipart *m, struct slice *rest, struct slice *data)
{
	while (rest->len > 0) {
		i64 end;

		if (m->matched == 0) {
			end = slice_find_char(*rest, '\r');
			*data = slice_first(*rest, end < 0 ? rest->len : (size_t)end);
			*rest = slice_from(*rest, data->len);
			m->matched = end < 0 ? 0 : 1;
			if (end >= 0)
				*rest = slice_from(*rest, 1);
			if (data->len > 0)
				return MULTIPART_DATA;
			continue;
		}
		if (rest->ptr[0] != m->delimiter[m->matched]) {
			*data = (struct slice){ m->delimiter, m->matched };
			m->matched = 0;
			return MULTIPART_DATA;
		}
		*rest = slice_from(*rest, 1);
		if (++m->matched < m->delimiter_len)
			continue;
		m->matched = 0;
		m->behind_len = 0;
		m->state = MULTIPART_BEHIND_DELIMITER;
		if (m->is_part_open) {
			m->is_part_open = false;
			return MULTIPART_PART_END;
		}
		return MULTIPART_MORE;
	}
	return MULTIPART_MORE;
}

static enum multipart_event run_behind(struct multipart *m, struct slice *rest)
{
	while (rest->len > 0 && m->behind_len < 2) {
		/* White space may have been added by transports (RFC 2046 section 5.1.1). */
		if (m->behind_len == 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
			*rest = slice_from(*rest, 1);
			continue;
		}
		m->behind[m->behind_len++] = rest->ptr[0];
		*rest = slice_from(*rest, 1);
	}
	if (m->behind_len < 2)
		return MULTIPART_MORE;
	if (memcmp(m->behind, "--", 2) == 0) {
		m->state = MULTIPART_IS_OVER;
		return MULTIPART_END;
	}
	if (memcmp(m->behind, "\r\n", 2) != 0)
		return bad(m);
	m->head_len = 0;
	m->state = MULTIPART_IN_HEAD;
	return MULTIPART_MORE;
}

static enum multipart_event run_head(struct multipart *m, struct slice *rest)
{
	while (rest->len > 0) {
		if (m->head_len == sizeof(m->head))
			return bad(m);
		m->head[m->head_len++] = rest->ptr[0];
		*rest = slice_from(*rest, 1);
		if (m->head_len < 4 || memcmp(m->head + m->head_len - 4, "\r\n\r\n", 4) != 0)
			continue;
		if (!read_head(m))
			return bad(m);
		m->state = MULTIPART_IN_DATA;
		m->is_part_open = true;
		/* A part without content ends with the delimiter that follows its empty line. */
		m->matched = 0;
		return MULTIPART_PART;
	}
	return MULTIPART_MORE;
}

enum multipart_event multipart_next(struct multipart *m, struct slice *rest, struct slice *data)
{
	enum multipart_event event = MULTIPART_MORE;

	*data = SLICE_NONE;
	while (rest->len > 0 && event == MULTIPART_MORE) {
		switch (m->state) {
		case MULTIPART_IN_PREAMBLE:
			event = run_data(m, rest, data);
			/* What stands before the first part is nobody's. */
			if (event == MULTIPART_DATA)
				event = MULTIPART_MORE;
			break;
		case MULTIPART_IN_DATA: event = run_data(m, rest, data); break;
		case MULTIPART_BEHIND_DELIMITER: event = run_behind(m, rest); break;
		case MULTIPART_IN_HEAD: event = run_head(m, rest); break;
		case MULTIPART_IS_OVER: return MULTIPART_END;
		case MULTIPART_IS_BAD: return MULTIPART_BAD;
		}
	}
	return event;
}
