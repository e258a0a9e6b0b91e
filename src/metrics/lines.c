#include "metrics/lines.h"

#include <string.h>

const char *lines_suffix(enum metric_type type)
{
	return type == COUNTER ? "_total" : type == INFO ? "_info" : "";
}

static const char *type_text(bool openmetrics, enum metric_type type)
{
	static const char *const texts[] = { "counter", "gauge", "histogram", "info" };

	return type == INFO && !openmetrics ? "gauge" : texts[type];
}

static void add_comment(struct buf *out, bool openmetrics, const char *keyword, const char *name,
			enum metric_type type, const char *text)
{
	/*
	 * OpenMetrics names the family without the suffix of its samples, the older format with it.
	 */
	buf_add_format(out, "# %s %s%s %s\n", keyword, name, openmetrics ? "" : lines_suffix(type),
		       text);
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);
	size_t end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

void lines_family(struct buf *out, bool openmetrics, const char *name, enum metric_type type,
		  const char *help)
{
	add_comment(out, openmetrics, "HELP", name, type, help);
	add_comment(out, openmetrics, "TYPE", name, type, type_text(openmetrics, type));
	if (openmetrics && ends_with(name, "_seconds"))
		add_comment(out, openmetrics, "UNIT", name, type, "seconds");
	else if (openmetrics && ends_with(name, "_bytes"))
		add_comment(out, openmetrics, "UNIT", name, type, "bytes");
}

static void add_label_value(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			buf_add_text(out, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_add_format(out, "\\%c", *value);
		else
			buf_add_char(out, *value);
	}
}

void lines_label(struct buf *out, char before, const char *name, const char *value)
{
	buf_add_char(out, before);
	buf_add_text(out, name);
	buf_add_text(out, "=\"");
	add_label_value(out, value);
	buf_add_char(out, '"');
}

static void end_sample(struct buf *out, u64 value)
{
	buf_add_char(out, ' ');
	buf_add_u64(out, value);
	buf_add_char(out, '\n');
}

void lines_sample(struct buf *out, const char *name, enum metric_type type, u64 value)
{
	buf_add_text(out, name);
	buf_add_text(out, lines_suffix(type));
	end_sample(out, value);
}

void lines_labelled(struct buf *out, const char *name, enum metric_type type, const char *label,
		    const char *text, u64 value)
{
	buf_add_text(out, name);
	buf_add_text(out, lines_suffix(type));
	lines_label(out, '{', label, text);
	buf_add_char(out, '}');
	end_sample(out, value);
}

void lines_fraction(struct buf *out, u64 value, u32 digits)
{
	u64 unit = 1;

	for (u32 i = 0; i < digits; i++)
		unit *= 10;
	buf_add_u64(out, value / unit);
	value %= unit;
	if (value == 0)
		return;
	buf_add_char(out, '.');
	for (; value > 0; value %= unit) {
		unit /= 10;
		buf_add_char(out, (char)('0' + value / unit));
	}
}

/* "name_part{label="text"", or without the label. */
static void begin_part(struct buf *out, const char *name, const char *part, const char *label,
		       const char *text)
{
	buf_add_text(out, name);
	buf_add_text(out, part);
	if (label)
		lines_label(out, '{', label, text);
}

static void end_labels(struct buf *out, const char *label)
{
	if (label)
		buf_add_char(out, '}');
}

void lines_histogram(struct buf *out, const char *name, const char *label, const char *text,
		     const struct metrics_histogram *h)
{
	u64 count = 0;

	for (u32 i = 0; i < METRICS_BUCKETS; i++) {
		count += h->buckets[i];
		begin_part(out, name, "_bucket", label, text);
		buf_add_text(out, label ? ",le=\"" : "{le=\"");
		if (i + 1 < METRICS_BUCKETS)
			lines_fraction(out, METRICS_BUCKET_NS << i, 9);
		else
			buf_add_text(out, "+Inf");
		buf_add_text(out, "\"}");
		end_sample(out, count);
	}
	begin_part(out, name, "_sum", label, text);
	end_labels(out, label);
	buf_add_char(out, ' ');
	lines_fraction(out, h->sum_ns, 9);
	buf_add_char(out, '\n');
	begin_part(out, name, "_count", label, text);
	end_labels(out, label);
	end_sample(out, count);
}
