#include "web/page.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/html_entity.h"
#include "web/trouble.h"

#include <stdio.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void page_markup(struct page *page, struct slice literal)
{
	buf_add_slice(page->out, literal);
}

/* C0 and C1 controls are no characters of HTML, but for what is white space. */
static bool is_character(u32 code)
{
	return (code >= 0x20 && code < 0x7f) || code >= 0xa0 || code == '\t' || code == '\n' ||
	       code == '\r';
}

/* Fits between tags and within double quotes; a run of plain bytes is one append. */
void page_text(struct page *page, struct slice text)
{
	size_t plain = 0;
	size_t at = 0;

	while (at < text.len) {
		const char *instead = html_escape_of(text.ptr[at]);
		size_t len = 1;

		if (!instead) {
			u32 code = 0;

			len = utf8_decode(slice_from(text, at), &code);
			if (len == 0 || !is_character(code))
				instead = REPLACEMENT;
			len = len == 0 ? 1 : len;
		}
		if (instead) {
			buf_add(page->out, text.ptr + plain, at - plain);
			buf_add_text(page->out, instead);
			plain = at + len;
		}
		at += len;
	}
	if (at > plain)
		buf_add(page->out, text.ptr + plain, at - plain);
}

void page_cstr(struct page *page, const char *text)
{
	page_text(page, slice_of(text));
}

void page_trouble(struct page *page, struct slice english)
{
	struct trouble room;

	page_text(page, trouble_in(page->language, english, &room));
}

void page_words_trouble(struct page *page, const struct words *words, struct slice english)
{
	struct trouble room;

	PAGE_SENTENCE(page, words, trouble_in(page->language, english, &room));
}

void page_words(struct page *page, const struct words *words)
{
	page_cstr(page, words->text[page->language]);
}

void page_sentence(struct page *page, const struct words *words, const struct slice *values,
		   size_t count)
{
	struct slice rest = slice_of(words->text[page->language]);

	while (rest.len > 0) {
		i64 open = slice_find_char(rest, '{');
		size_t index;

		if (open < 0 || (size_t)open + 2 >= rest.len || rest.ptr[open + 2] != '}') {
			page_text(page, rest);
			return;
		}
		page_text(page, slice_first(rest, (size_t)open));
		index = (size_t)(rest.ptr[open + 1] - '1');
		if (index < count)
			page_text(page, values[index]);
		rest = slice_from(rest, (size_t)open + 3);
	}
}

/* ---- numbers and moments ---- */

struct slice page_digits(struct page_digits *digits, u64 number)
{
	int len = snprintf(digits->text, sizeof(digits->text), "%llu", (unsigned long long)number);

	return (struct slice){ digits->text, (size_t)len };
}

void page_number(struct page *page, u64 number)
{
	struct page_digits digits;
	struct slice text = page_digits(&digits, number);

	for (size_t i = 0; i < text.len; i++) {
		if (i > 0 && (text.len - i) % 3 == 0)
			buf_add_char(page->out, ',');
		buf_add_char(page->out, text.ptr[i]);
	}
}

void page_percent(struct page *page, u64 part, u64 whole)
{
	u64 tenths;

	if (whole == 0) {
		PAGE_HTML(page, "&ndash;");
		return;
	}
	tenths = (u64)(((unsigned __int128)part * 1000 + whole / 2) / whole);
	page_number(page, tenths / 10);
	buf_add_format(page->out, ".%u%%", (u32)(tenths % 10));
}

void page_bytes(struct page *page, u64 bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	u64 tenths = bytes * 10;
	u32 unit = 0;

	while (tenths >= 10240 && unit + 1 < array_count(units)) {
		tenths /= 1024;
		unit++;
	}
	if (unit == 0 || tenths >= 1000)
		buf_add_format(page->out, "%llu %s", (unsigned long long)(tenths / 10),
			       units[unit]);
	else
		buf_add_format(page->out, "%llu.%llu %s", (unsigned long long)(tenths / 10),
			       (unsigned long long)(tenths % 10), units[unit]);
}

static void write_moment(struct page *page, u64 at_ms, bool has_time)
{
	char utc[CLOCK_RFC3339_SIZE];
	struct clock_date date;

	if (at_ms == 0) {
		PAGE_HTML(page, "&ndash;");
		return;
	}
	clock_format_rfc3339(utc, at_ms);
	time_zone_local(&page->call->zone, at_ms, &date);
	buf_add_format(page->out, "<time datetime=\"%s\">%04u-%02u-%02u", utc, date.year,
		       date.month, date.day);
	if (has_time)
		buf_add_format(page->out, " %02u:%02u", date.hour, date.minute);
	PAGE_HTML(page, "</time>");
}

void page_time(struct page *page, u64 at_ms)
{
	write_moment(page, at_ms, true);
}

void page_date(struct page *page, u64 at_ms)
{
	write_moment(page, at_ms, false);
}

/* ---- attributes ---- */

void page_attribute(struct page *page, const char *name, struct slice value)
{
	buf_add_format(page->out, " %s=\"", name);
	page_text(page, value);
	buf_add_char(page->out, '"');
}

/* RFC 3986 section 2.3: what stands for itself anywhere. */
static bool is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

static void url_encode(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (is_unreserved(value.ptr[i]))
			buf_add_char(out, value.ptr[i]);
		else
			buf_add_format(out, "%%%02X", (u8)value.ptr[i]);
	}
}

void url_format(struct buf *out, const char *format, const struct slice *values)
{
	struct slice rest = slice_of(format);

	for (i64 at = slice_find(rest, SLICE("{}")); at >= 0; at = slice_find(rest, SLICE("{}"))) {
		buf_add_slice(out, slice_first(rest, (size_t)at));
		url_encode(out, *values++);
		rest = slice_from(rest, (size_t)at + 2);
	}
	buf_add_slice(out, rest);
}

/* An ampersand in the format is one of the query's: within an attribute it is written as such. */
void page_url(struct page *page, const char *name, const char *format, const struct slice *values)
{
	struct slice rest = slice_of(format);

	buf_add_format(page->out, " %s=\"", name);
	for (i64 at = slice_find(rest, SLICE("{}")); at >= 0; at = slice_find(rest, SLICE("{}"))) {
		page_text(page, slice_first(rest, (size_t)at));
		url_encode(page->out, *values++);
		rest = slice_from(rest, (size_t)at + 2);
	}
	page_text(page, rest);
	buf_add_char(page->out, '"');
}

void page_foreign_url(struct page *page, const char *name, struct slice url)
{
	static const char *const schemes[] = { "http://", "https://", "mailto:" };
	bool is_known = false;

	for (size_t i = 0; i < array_count(schemes); i++)
		is_known = is_known || slice_has_prefix_nocase(url, slice_of(schemes[i]));
	page_attribute(page, name, is_known ? url : SLICE("#"));
}
