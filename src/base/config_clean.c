#include "base/config_text.h"

#include <string.h>

#define DEPTH_MAX 8 /* deeper than any section goes */

struct cleaner {
	char *text;
	size_t len;
	size_t at;
	u32 line;
	u32 depth;
	u32 opened[DEPTH_MAX]; /* lines of the braces that are open */
	const char *name;
	struct error *error;
};

static char peek(const struct cleaner *c, size_t ahead)
{
	return c->at + ahead < c->len ? c->text[c->at + ahead] : '\0';
}

static bool refuse(const struct cleaner *c, const char *why)
{
	return error_set(c->error, "%s:%u: %s", c->name, c->line, why);
}

static void blank(struct cleaner *c)
{
	if (c->text[c->at] == '\n')
		c->line++;
	else
		c->text[c->at] = ' ';
	c->at++;
}

static void clean_line_comment(struct cleaner *c)
{
	while (c->at < c->len && c->text[c->at] != '\n')
		blank(c);
}

static bool clean_block_comment(struct cleaner *c)
{
	struct cleaner start = *c;

	blank(c);
	blank(c);
	while (c->at < c->len) {
		if (peek(c, 0) == '*' && peek(c, 1) == '/') {
			blank(c);
			blank(c);
			return true;
		}
		blank(c);
	}
	return refuse(&start, "comment without an end");
}

/* Strings and bare words alike: characters that mean something to libconfuse and nothing to us. */
static bool check_char(const struct cleaner *c)
{
	u8 byte = (u8)peek(c, 0);

	if (byte < 0x20 || byte == 0x7f)
		return refuse(c, "control character");
	if (byte == '|')
		return refuse(c, "'|' has no meaning here");
	if (byte == '$' && peek(c, 1) == '{')
		return refuse(c, "environment variables are not read");
	return true;
}

static bool clean_string(struct cleaner *c)
{
	char quote = peek(c, 0);

	for (c->at++; c->at < c->len; c->at++) {
		char byte = peek(c, 0);

		if (byte == quote) {
			c->at++;
			return true;
		}
		if (byte == '\n' || byte == '\r')
			break;
		if (!check_char(c))
			return false;
		if (byte != '\\')
			continue;
		if (peek(c, 1) != '\\' && peek(c, 1) != quote)
			return refuse(c, "unknown escape in a string");
		c->at++;
	}
	return refuse(c, "string without an end on its line");
}

static bool clean_brace(struct cleaner *c)
{
	if (peek(c, 0) == '}') {
		if (c->depth == 0)
			return refuse(c, "closing brace without an opening one");
		c->depth--;
	} else {
		if (c->depth == DEPTH_MAX)
			return refuse(c, "too many braces within braces");
		c->opened[c->depth++] = c->line;
	}
	c->at++;
	return true;
}

static bool clean_bare(struct cleaner *c)
{
	char byte = peek(c, 0);

	if (byte == '\n' || byte == '\r' || byte == '\t' || byte == ';') {
		blank(c);
		return true;
	}
	if (byte == '{' || byte == '}')
		return clean_brace(c);
	if (byte == '+')
		return refuse(c, "'+' outside quotes: write each list once");
	if (!check_char(c))
		return false;
	c->at++;
	return true;
}

bool config_clean(char *text, size_t len, const char *name, struct error *error)
{
	struct cleaner c = { .text = text, .len = len, .line = 1, .name = name, .error = error };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		memset(text, ' ', 3);
		c.at = 3;
	}
	while (c.at < c.len) {
		bool fine = true;

		if (peek(&c, 0) == '#' || (peek(&c, 0) == '/' && peek(&c, 1) == '/'))
			clean_line_comment(&c);
		else if (peek(&c, 0) == '/' && peek(&c, 1) == '*')
			fine = clean_block_comment(&c);
		else if (peek(&c, 0) == '"' || peek(&c, 0) == '\'')
			fine = clean_string(&c);
		else
			fine = clean_bare(&c);
		if (!fine)
			return false;
	}
	if (c.depth > 0) {
		c.line = c.opened[c.depth - 1];
		return refuse(&c, "opening brace without a closing one");
	}
	return true;
}
