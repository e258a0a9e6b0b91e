#include "dkim/canon.h"

#include <assert.h>
#include <string.h>

/* Fewer bytes than this are gathered first: a call of the hash costs about 15 ns. */
#define RUN_DIRECT 256
#define RUN_ROOM 1024

/* Canonical bytes on their way into the hash. */
struct run {
	struct dkim_body *body;
	size_t len;
	u8 bytes[RUN_ROOM];
};

static void run_flush(struct run *run)
{
	sha256_add(&run->body->hash, run->bytes, run->len);
	run->body->hashed_bytes += run->len;
	run->len = 0;
}

static inline void run_add(struct run *run, const void *bytes, size_t len)
{
	if (len >= RUN_DIRECT) {
		run_flush(run);
		sha256_add(&run->body->hash, bytes, len);
		run->body->hashed_bytes += len;
		return;
	}
	if (len > RUN_ROOM - run->len)
		run_flush(run);
	memcpy(run->bytes + run->len, bytes, len);
	run->len += len;
}

/* The line goes on: what was held back before this byte counts after all. */
static void run_add_held(struct run *run)
{
	struct dkim_body *body = run->body;

	for (; body->pending_lines > 0; body->pending_lines--)
		run_add(run, "\r\n", 2);
	if (body->pending_space)
		run_add(run, " ", 1);
	body->pending_space = false;
	body->in_line = true;
}

static void run_end_line(struct run *run)
{
	struct dkim_body *body = run->body;

	body->pending_space = false;
	if (body->in_line)
		run_add(run, "\r\n", 2);
	else
		body->pending_lines++;
	body->in_line = false;
}

static inline bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

/*
 * Takes white space and line ends until an ordinary byte shows what they mean; that byte is left to
 * the caller. A CR without LF and an LF without CR are ordinary (RFC 6376 section 3.4.4 knows lines
 * by CRLF alone). Returns where it stopped: at `end`, or with nothing held back.
 */
static const u8 *feed_slowly(struct run *run, const u8 *p, const u8 *end)
{
	struct dkim_body *body = run->body;
	bool relaxed = body->canon == DKIM_RELAXED;

	while (p < end) {
		if (body->after_cr) {
			body->after_cr = false;
			if (*p == '\n') {
				run_end_line(run);
				p++;
				continue;
			}
			run_add_held(run);
			run_add(run, "\r", 1);
		}
		if (*p == '\r') {
			body->after_cr = true;
			p++;
		} else if (relaxed && is_blank(*p)) {
			body->pending_space = true;
			do
				p++;
			while (p < end && is_blank(*p));
		} else {
			run_add_held(run);
			break;
		}
	}
	return p;
}

#define LANES 16
typedef u8 lanes __attribute__((vector_size(LANES)));
typedef u64 halves __attribute__((vector_size(LANES)));

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lowest byte of a word is the first");

static inline lanes lanes_load(const u8 *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * A byte at which text stops being its own canonical form, given the byte before it: a tab, white
 * space or CR behind a space, and a CR at the start of a line (an empty line may belong to the end
 * of the body). The first function looks at one byte, the second at 16.
 */
static inline bool is_trouble(u8 before, u8 c, bool relaxed)
{
	if (c == '\r' && before == '\n')
		return true;
	return relaxed && (c == '\t' || (before == ' ' && (c == ' ' || c == '\r')));
}

static inline lanes find_trouble(const u8 *p, bool relaxed)
{
	lanes c = lanes_load(p);
	lanes before = lanes_load(p - 1);
	lanes cr = (lanes)(c == '\r');
	lanes found = cr & (lanes)(before == '\n');

	if (relaxed)
		found |= (lanes)(c == '\t') | ((lanes)(before == ' ') & (cr | (lanes)(c == ' ')));
	return found;
}

/* Index of the first trouble in p[from..len), or len; from >= 1. */
static inline size_t trouble_at(const u8 *p, size_t from, size_t len, bool relaxed)
{
	size_t at = from;

	for (; at + LANES <= len; at += LANES) {
		halves found = (halves)find_trouble(p + at, relaxed);

		if (found[0])
			return at + (size_t)__builtin_ctzll(found[0]) / 8;
		if (found[1])
			return at + 8 + (size_t)__builtin_ctzll(found[1]) / 8;
	}
	while (at < len && !is_trouble(p[at - 1], p[at], relaxed))
		at++;
	return at;
}

/*
 * How many bytes from an ordinary one on are their own canonical form, when nothing is held back
 * before them. A space or CR at the end stays out: what it means depends on the byte behind it.
 */
static inline size_t clean_length(const u8 *p, size_t len, bool relaxed)
{
	size_t at = relaxed ? trouble_at(p, 1, len, true) : trouble_at(p, 1, len, false);

	if (relaxed && p[at - 1] == ' ')
		return at - 1;
	if (at == len && p[at - 1] == '\r')
		return at - 1;
	return at;
}

void dkim_body_init(struct dkim_body *body, enum dkim_canon canon)
{
	*body = (struct dkim_body){ .canon = (u8)canon };
	sha256_init(&body->hash);
}

void dkim_body_feed(struct dkim_body *body, const void *bytes, size_t len)
{
	bool relaxed = body->canon == DKIM_RELAXED;
	struct run run;
	const u8 *p = bytes;
	const u8 *end = p + len;

	run.body = body;
	run.len = 0;
	while (p < end) {
		size_t clean;

		p = feed_slowly(&run, p, end);
		if (p == end)
			break;
		clean = clean_length(p, (size_t)(end - p), relaxed);
		run_add(&run, p, clean);
		p += clean;
		body->in_line = clean < 2 || p[-2] != '\r' || p[-1] != '\n';
	}
	run_flush(&run);
}

void dkim_body_finish(struct dkim_body *body, u8 out[SHA256_SIZE])
{
	struct run run;

	run.body = body;
	run.len = 0;
	if (body->after_cr) {
		run_add_held(&run);
		run_add(&run, "\r", 1);
	}
	if (body->in_line)
		run_add(&run, "\r\n", 2);
	run_flush(&run);
	/* RFC 6376 section 3.4.3: the simple form of a body without content is one CRLF. */
	if (body->canon == DKIM_SIMPLE && body->hashed_bytes == 0) {
		run_add(&run, "\r\n", 2);
		run_flush(&run);
	}
	sha256_finish(&body->hash, out);
}
