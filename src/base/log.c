#include "base/log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPEC_MAX 24 /* one conversion of a format, as text */
#define LINE_CUT " cut=1"
/* What pairs may fill: the mark that some were left out and the line feed always fit behind. */
#define LINE_ROOM (LOG_LINE_MAX - sizeof(LINE_CUT))

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static _Atomic int log_level_now = LOG_LEVEL_INFO;
static _Atomic int log_fd_now = 2;
static _Atomic u64 log_dropped_count;
static struct log_site *_Atomic log_sites; /* sites that have suppressed something, ever */

/* A line under construction. */
struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool is_cut;
};

bool log_level_parse(struct slice name, enum log_level *level)
{
	for (size_t i = 0; i < array_count(level_names); i++) {
		if (slice_equal(name, slice_of(level_names[i]))) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

void log_set_fd(int fd)
{
	atomic_store_explicit(&log_fd_now, fd, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

u64 log_dropped(void)
{
	return atomic_load_explicit(&log_dropped_count, memory_order_relaxed);
}

/* ---- text ---- */

static void line_add(struct line *line, const char *bytes, size_t len)
{
	len = min_size(len, LINE_ROOM - line->len);
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static void line_add_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static bool is_plain_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_plain(text[i]))
			return false;
	}
	return len > 0;
}

static size_t escape_byte(char out[5], char c)
{
	static const char names[] = "\n\r\t\"\\";
	static const char letters[] = "nrt\"\\";
	const char *at = c ? strchr(names, c) : NULL;

	if (c == ' ' || c == '=' || (is_plain(c) && !at)) {
		out[0] = c;
		return 1;
	}
	out[0] = '\\';
	if (at) {
		out[1] = letters[at - names];
		return 2;
	}
	out[1] = 'x';
	hex_encode(out + 2, &c, 1);
	return 4;
}

static void line_add_quoted(struct line *line, const char *text, size_t len, bool was_cut)
{
	/* Room for the closing quote and dots: an escape or a quotation is never left half. */
	const size_t tail = sizeof("...\"") - 1;
	char escaped[5];

	line_add(line, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		size_t n = escape_byte(escaped, text[i]);

		if (line->len + n + tail > LINE_ROOM) {
			was_cut = true;
			break;
		}
		line_add(line, escaped, n);
	}
	line_add_text(line, was_cut ? "...\"" : "\"");
}

static void line_add_value(struct line *line, const char *text, size_t len, bool was_cut)
{
	if (!was_cut && is_plain_text(text, len) && line->len + len <= LINE_ROOM)
		line_add(line, text, len);
	else
		line_add_quoted(line, text, len, was_cut);
}

/* ---- formatting: each pair is made on its own, so that its value can be quoted ---- */

struct value {
	char text[LOG_VALUE_MAX];
	size_t len;
	bool was_cut;
};

static void value_add(struct value *value, const char *bytes, size_t len)
{
	size_t room = sizeof(value->text) - value->len;

	if (len > room) {
		len = room;
		value->was_cut = true;
	}
	memcpy(value->text + value->len, bytes, len);
	value->len += len;
}

/* One conversion: its text, the length modifier and the letter. */
struct spec {
	char text[SPEC_MAX];
	char letter;
	u32 longs;     /* number of 'l' */
	bool is_size;  /* 'z' */
	int precision; /* of %s; -1: none */
};

static int digits_value(const char *digits)
{
	int value = 0;

	while (ascii_is_digit(*digits) && value < LOG_VALUE_MAX)
		value = value * 10 + (*digits++ - '0');
	return value;
}

static const char *spec_parse(struct spec *spec, const char *at, va_list *args)
{
	size_t len = 0;

	*spec = (struct spec){ .precision = -1 };
	do {
		ASSERT(len + 2 < sizeof(spec->text));
		spec->text[len++] = *at++;
		if (at[-1] == '.' && *at == '*') {
			spec->precision = va_arg(*args, int);
			at++;
			len--;
		}
		spec->longs += *at == 'l';
		spec->is_size |= *at == 'z';
	} while (*at && strchr("0123456789.-+# hlz", *at));
	spec->letter = *at;
	spec->text[len] = *at;
	ASSERT(*at && strchr("sciduxfg%", *at));
	if (spec->letter == 's' && strchr(spec->text, '.'))
		spec->precision = digits_value(strchr(spec->text, '.') + 1);
	return at + 1;
}

static void value_add_string(struct value *value, const struct spec *spec, const char *text)
{
	size_t len;

	if (!text)
		text = "(none)";
	len = spec->precision >= 0 ? strnlen(text, (size_t)spec->precision) : strlen(text);
	value_add(value, text, len);
}

/* The format was checked against its arguments by the compiler; only known letters come here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void value_add_number(struct value *value, const struct spec *spec, va_list *args)
{
	char digits[64];
	int n;

	if (spec->letter == 'f' || spec->letter == 'g')
		n = snprintf(digits, sizeof(digits), spec->text, va_arg(*args, double));
	else if (spec->longs >= 2)
		n = snprintf(digits, sizeof(digits), spec->text, va_arg(*args, long long));
	else if (spec->longs == 1)
		n = snprintf(digits, sizeof(digits), spec->text, va_arg(*args, long));
	else if (spec->is_size)
		n = snprintf(digits, sizeof(digits), spec->text, va_arg(*args, size_t));
	else
		n = snprintf(digits, sizeof(digits), spec->text, va_arg(*args, int));
	if (n > 0)
		value_add(value, digits, min_size((size_t)n, sizeof(digits) - 1));
}
#pragma GCC diagnostic pop

static const char *value_add_spec(struct value *value, const char *at, va_list *args)
{
	struct spec spec;
	char c;

	at = spec_parse(&spec, at, args);
	switch (spec.letter) {
	case '%':
		value_add(value, "%", 1);
		break;
	case 's':
		value_add_string(value, &spec, va_arg(*args, const char *));
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		value_add(value, &c, 1);
		break;
	default:
		value_add_number(value, &spec, args);
	}
	return at;
}

static void line_add_pairs(struct line *line, const char *at, va_list *args)
{
	struct value value;

	while (*at) {
		size_t key = strcspn(at, "= ");

		if (key == 0 && *at == ' ') {
			at++;
			continue;
		}
		ASSERT(at[key] == '=' && key > 0);
		if (line->len + key + sizeof(" =\"...\"") > LINE_ROOM) {
			line->is_cut = true;
			return;
		}
		line_add(line, " ", 1);
		line_add(line, at, key + 1);
		at += key + 1;
		value.len = 0;
		value.was_cut = false;
		while (*at && *at != ' ') {
			if (*at == '%')
				at = value_add_spec(&value, at, args);
			else
				value_add(&value, at++, 1);
		}
		line_add_value(line, value.text, value.len, value.was_cut);
	}
}

static void line_begin(struct line *line, const struct log_site *site)
{
	char time[CLOCK_RFC3339_SIZE];

	line->len = 0;
	line->is_cut = false;
	clock_format_rfc3339(time, clock_wall_ms());
	line_add_text(line, time);
	line_add(line, " ", 1);
	line_add_text(line, log_level_name(site->level));
	line_add(line, " ", 1);
	line_add_text(line, site->room);
	line_add_text(line, " event=");
	line_add_value(line, site->event, strlen(site->event), false);
}

static void line_add_suppressed(struct line *line, u32 count)
{
	char text[32];

	snprintf(text, sizeof(text), " suppressed=%u", count);
	line_add_text(line, text);
}

static void line_end(struct line *line)
{
	int fd = atomic_load_explicit(&log_fd_now, memory_order_relaxed);
	int saved = errno;
	ssize_t n;

	if (line->is_cut) {
		memcpy(line->text + line->len, LINE_CUT, sizeof(LINE_CUT) - 1);
		line->len += sizeof(LINE_CUT) - 1;
	}
	line->text[line->len++] = '\n';
	do {
		n = write(fd, line->text, line->len);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)line->len)
		atomic_fetch_add_explicit(&log_dropped_count, 1, memory_order_relaxed);
	errno = saved;
}

/* ---- rate limit ---- */

static void site_list(struct log_site *site)
{
	if (atomic_exchange(&site->is_listed, true))
		return;
	site->next = atomic_load(&log_sites);
	while (!atomic_compare_exchange_weak(&log_sites, &site->next, site))
		;
}

static bool site_window_is_over(struct log_site *site, u64 now_ns)
{
	u64 start = atomic_load(&site->window_start_ns);

	return now_ns - start >= LOG_SITE_WINDOW_MS * NS_PER_MS;
}

/* May this line be written? *suppressed: how many before it were not. */
static bool site_take(struct log_site *site, u32 *suppressed)
{
	u64 now_ns = clock_mono_ns();
	u64 start = atomic_load(&site->window_start_ns);

	*suppressed = 0;
	if ((start == 0 || site_window_is_over(site, now_ns)) &&
	    atomic_compare_exchange_strong(&site->window_start_ns, &start, now_ns)) {
		atomic_store(&site->written, 0);
		*suppressed = atomic_exchange(&site->suppressed, 0);
	}
	if (atomic_fetch_add(&site->written, 1) < LOG_SITE_BURST)
		return true;
	atomic_fetch_add(&site->suppressed, 1);
	site_list(site);
	return false;
}

void log_report_suppressed(void)
{
	struct line line;

	for (struct log_site *site = atomic_load(&log_sites); site; site = site->next) {
		u32 count;

		if (!site_window_is_over(site, clock_mono_ns()))
			continue;
		count = atomic_exchange(&site->suppressed, 0);
		if (count == 0)
			continue;
		line_begin(&line, site);
		line_add_suppressed(&line, count);
		line_end(&line);
	}
}

void log_write(struct log_site *site, const char *fmt, ...)
{
	struct line line;
	u32 suppressed;
	va_list args;

	if (!site_take(site, &suppressed))
		return;
	line_begin(&line, site);
	if (suppressed > 0)
		line_add_suppressed(&line, suppressed);
	va_start(args, fmt);
	line_add_pairs(&line, fmt, &args);
	va_end(args);
	line_end(&line);
}
