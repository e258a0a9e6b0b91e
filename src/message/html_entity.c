#include "message/html_entity.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/template_tag.h"

#define NAME_MAX_LEN 8
#define REPLACEMENT 0xfffd

static const struct entity {
	const char *name;
	u32 code;
} entities[] = {
	{ "amp", '&' },       { "lt", '<' },	    { "gt", '>' },	  { "quot", '"' },
	{ "apos", '\'' },     { "nbsp", 0xa0 },	    { "copy", 0xa9 },	  { "reg", 0xae },
	{ "trade", 0x2122 },  { "yen", 0xa5 },	    { "euro", 0x20ac },	  { "pound", 0xa3 },
	{ "cent", 0xa2 },     { "sect", 0xa7 },	    { "para", 0xb6 },	  { "deg", 0xb0 },
	{ "plusmn", 0xb1 },   { "times", 0xd7 },    { "divide", 0xf7 },	  { "middot", 0xb7 },
	{ "bull", 0x2022 },   { "hellip", 0x2026 }, { "ndash", 0x2013 },  { "mdash", 0x2014 },
	{ "lsquo", 0x2018 },  { "rsquo", 0x2019 },  { "ldquo", 0x201c },  { "rdquo", 0x201d },
	{ "laquo", 0xab },    { "raquo", 0xbb },    { "lsaquo", 0x2039 }, { "rsaquo", 0x203a },
	{ "larr", 0x2190 },   { "uarr", 0x2191 },   { "rarr", 0x2192 },	  { "darr", 0x2193 },
	{ "hearts", 0x2665 }, { "star", 0x2606 },   { "ensp", 0x2002 },	  { "emsp", 0x2003 },
	{ "thinsp", 0x2009 }, { "zwnj", 0x200c },   { "zwj", 0x200d },	  { "shy", 0xad },
	{ "iexcl", 0xa1 },    { "iquest", 0xbf },   { "szlig", 0xdf },	  { "agrave", 0xe0 },
	{ "aacute", 0xe1 },   { "auml", 0xe4 },	    { "ccedil", 0xe7 },	  { "egrave", 0xe8 },
	{ "eacute", 0xe9 },   { "ecirc", 0xea },    { "iacute", 0xed },	  { "ntilde", 0xf1 },
	{ "oacute", 0xf3 },   { "ouml", 0xf6 },	    { "uacute", 0xfa },	  { "uuml", 0xfc },
	{ "Auml", 0xc4 },     { "Eacute", 0xc9 },   { "Ouml", 0xd6 },	  { "Uuml", 0xdc },
	{ "frac12", 0xbd },   { "sup2", 0xb2 },	    { "lbrace", '{' },	  { "lcub", '{' },
	{ "rbrace", '}' },    { "rcub", '}' },	    { "Tab", '\t' },	  { "NewLine", '\n' },
	{ "colon", ':' },
};

/* Behind `&#`. */
static size_t take_number(struct slice text, u32 *code)
{
	bool hex = text.len > 2 && ascii_lower(text.ptr[2]) == 'x';
	size_t from = hex ? 3 : 2;
	size_t at = from;
	u32 sum = 0;

	for (; at < text.len; at++) {
		int digit = ascii_hex_value(text.ptr[at]);

		if (digit < 0 || (!hex && digit > 9))
			break;
		sum = min_u32(sum * (hex ? 16 : 10) + (u32)digit, 0x110000);
	}
	if (at == from)
		return 0;
	*code = sum == 0 || sum > 0x10ffff || (sum >= 0xd800 && sum < 0xe000) ? REPLACEMENT : sum;
	return at + (at < text.len && text.ptr[at] == ';');
}

size_t html_entity_take(struct slice text, u32 *code)
{
	struct slice name = { text.ptr + 1, 0 };

	if (text.len < 3 || text.ptr[0] != '&')
		return 0;
	if (text.ptr[1] == '#')
		return take_number(text, code);
	while (name.len < NAME_MAX_LEN && 1 + name.len < text.len &&
	       (ascii_is_alpha(name.ptr[name.len]) || ascii_is_digit(name.ptr[name.len])))
		name.len++;
	for (size_t i = 0; i < array_count(entities); i++) {
		bool ends = 1 + name.len < text.len && name.ptr[name.len] == ';';

		if (slice_equal(name, slice_of(entities[i].name)) && (ends || i < 4)) {
			*code = entities[i].code;
			return 1 + name.len + ends;
		}
	}
	return 0;
}

const char *html_escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_url_decode(struct buf *out, struct slice value)
{
	while (value.len > 0) {
		size_t len = template_tag_length(value);
		u32 code = 0;
		char bytes[4];

		if (len > 0) {
			buf_add(out, value.ptr, len);
		} else if ((len = html_entity_take(value, &code)) > 0) {
			if (code == '{' || code == '}')
				buf_add_text(out, code == '{' ? "%7B" : "%7D");
			else
				buf_add(out, bytes, utf8_encode(bytes, code));
		} else {
			len = 1;
			buf_add_char(out, value.ptr[0]);
		}
		value = slice_from(value, len);
	}
}

void html_url_encode(struct buf *out, struct slice url, char quote)
{
	while (url.len > 0) {
		size_t len = template_tag_length(url);
		char c = url.ptr[0];

		if (len > 0)
			buf_add(out, url.ptr, len);
		else if (c == '&')
			buf_add_text(out, "&amp;");
		else if (c == '<')
			buf_add_text(out, "&lt;");
		else if (c == '>')
			buf_add_text(out, "&gt;");
		else if (c == quote)
			buf_add_text(out, quote == '"' ? "&quot;" : "&#39;");
		else
			buf_add_char(out, c);
		url = slice_from(url, len > 0 ? len : 1);
	}
}
