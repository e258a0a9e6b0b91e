/* The text of one message: where it ends (RFC 5321 4.1.1.4, 4.5.2), whether it is well formed. */
#include "sink.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 5321 4.5.3.1.6: 998 bytes and CRLF, a dot added for transparency not counted. */
#define LINE_MAX_BYTES 1000
/* More header than this is not searched for a Message-ID. */
#define HEADER_MAX_BYTES 65536
#define BLOCK 64

struct masks {
	uint64_t cr, lf, nul;
};

static inline uint64_t mask_of(const __m128i v[4], char c)
{
	const __m128i want = _mm_set1_epi8(c);
	uint64_t mask = 0;

	for (int i = 0; i < 4; i++)
		mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], want)) << 16 * i;
	return mask;
}

static inline struct masks masks_sse2(const uint8_t *block)
{
	__m128i v[4];

	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
	return (struct masks){ mask_of(v, '\r'), mask_of(v, '\n'), mask_of(v, 0) };
}

/* A third of the time; the sink must not be what a fast sender waits for. */
__attribute__((target("avx512bw")))
static inline struct masks masks_avx512(const uint8_t *block)
{
	__m512i v = _mm512_loadu_si512(block);

	return (struct masks){
		_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r')),
		_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')),
		_mm512_testn_epi8_mask(v, v),
	};
}

/* Notes the first `n` (1 to 64) bytes that `m` describes. */
static inline void note_block(struct sink_text *t, struct masks m, unsigned n)
{
	uint64_t valid = n == BLOCK ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	uint64_t cr = m.cr & valid, lf = m.lf & valid;
	uint64_t after_cr = (cr << 1 | t->prev_cr) & valid;

	/* Every CR has its LF and every LF its CR. */
	t->malformed |= after_cr != lf || (m.nul & valid);
	t->prev_cr = cr >> (n - 1) & 1;
	t->line_start = (lf & after_cr) >> (n - 1) & 1;
	if (!lf) {
		t->line_len += n;
		return;
	}
	t->malformed |= t->line_len + (unsigned)__builtin_ctzll(lf) + 1 > LINE_MAX_BYTES;
	t->line_len = n - 1 - (63 - (unsigned)__builtin_clzll(lf));
}

/* The first dot among the `n` bytes that stands first in its line; `n` if there is none. */
static inline unsigned block_dot(const struct sink_text *t, const uint8_t *block, struct masks m,
	unsigned n)
{
	uint64_t starts = ((m.lf & (m.cr << 1 | t->prev_cr)) << 1) | t->line_start;

	for (; starts; starts &= starts - 1) {
		unsigned at = (unsigned)__builtin_ctzll(starts);

		if (at >= n)
			break;
		if (block[at] == '.')
			return at;
	}
	return n;
}

/* Looks at the text up to its end or, if asked to, a dot that stands first in a line. */
static inline __attribute__((always_inline))
size_t scan_with(struct masks (*masks_of)(const uint8_t *), struct sink_text *t,
	const uint8_t *bytes, size_t len, bool to_dot)
{
	size_t done = 0;

	while (done < len) {
		uint8_t tail[BLOCK];
		const uint8_t *block = bytes + done;
		unsigned n = BLOCK, used;
		struct masks m;

		if (len - done < BLOCK) {
			n = (unsigned)(len - done);
			memcpy(tail, block, n);
			memset(tail + n, 'x', BLOCK - n);
			block = tail;
		}
		m = masks_of(block);
		used = to_dot ? block_dot(t, block, m, n) : n;
		if (used)
			note_block(t, m, used);
		done += used;
		if (used < n)
			break;
	}
	return done;
}

__attribute__((target("avx512bw")))
static size_t scan_avx512(struct sink_text *t, const uint8_t *bytes, size_t len, bool to_dot)
{
	return scan_with(masks_avx512, t, bytes, len, to_dot);
}

static size_t scan(struct sink_text *t, const uint8_t *bytes, size_t len, bool to_dot)
{
	if (__builtin_cpu_supports("avx512bw"))
		return scan_avx512(t, bytes, len, to_dot);
	return scan_with(masks_sse2, t, bytes, len, to_dot);
}

static void keep_header(struct sink_text *t, const uint8_t *bytes, size_t len)
{
	size_t from = t->header.len > 3 ? t->header.len - 3 : 0;
	const uint8_t *end;

	sink_buf_add(&t->header, bytes, len);
	end = memmem(t->header.data + from, t->header.len - from, "\r\n\r\n", 4);
	if (end)
		t->header.len = (size_t)(end - t->header.data) + 2;
	t->header_done = end || t->header.len > HEADER_MAX_BYTES;
}

/* Bytes of the message itself, un-stuffed. */
static void take(struct session *s, const uint8_t *bytes, size_t len)
{
	struct sink_text *t = &s->text;

	t->bytes += len;
	if (t->hashing)
		EVP_DigestUpdate(t->digest, bytes, len);
	if (t->keep_header && !t->header_done)
		keep_header(t, bytes, len);
	while (t->save_fd >= 0 && len) {
		ssize_t n = write(t->save_fd, bytes, len);

		if (n < 0)
			sink_fail("write of a saved message: %m");
		bytes += n;
		len -= (size_t)n;
	}
}

void text_begin(struct session *s)
{
	struct sink_text *t = &s->text;
	const struct sink_options *o = s->sink->options;

	t->bytes = t->line_len = 0;
	t->prev_cr = t->malformed = t->header_done = false;
	t->line_start = true;
	t->dot = DOT_NONE;
	t->header.len = 0;
	t->keep_header = s->sink->keep_envelope;
	t->hashing = (o->ledger_path || o->doubt_path) && !o->no_hash;
	if (t->hashing) {
		if (!t->digest)
			t->digest = EVP_MD_CTX_new();
		if (!t->digest || !EVP_DigestInit_ex2(t->digest, s->sink->sha256, NULL))
			sink_fail("SHA-256 is not to be had");
	}
	s->sink->texts_begun++;
	if (o->save_dir && s->sink->texts_begun % o->save_every == 0)
		record_save_begin(s);
}

/* One byte behind a dot that stands first in its line. True if it ended the message. */
static bool after_dot(struct session *s, uint8_t byte)
{
	struct sink_text *t = &s->text;

	if (t->dot == DOT_CR && byte == '\n')
		return true;
	if (t->dot == DOT_SEEN && byte == '\r') {
		t->dot = DOT_CR;
		return false;
	}
	t->line_start = false;
	if (t->dot == DOT_CR) {
		scan(t, (const uint8_t *)"\r", 1, false);
		take(s, (const uint8_t *)"\r", 1);
	}
	t->dot = DOT_NONE;
	scan(t, &byte, 1, false);
	take(s, &byte, 1);
	return false;
}

size_t text_feed_dots(struct session *s, const uint8_t *bytes, size_t len, bool *done)
{
	struct sink_text *t = &s->text;
	size_t used = 0;

	*done = false;
	while (used < len && !*done) {
		size_t n;

		if (t->dot != DOT_NONE) {
			*done = after_dot(s, bytes[used++]);
			continue;
		}
		n = scan(t, bytes + used, len - used, true);
		if (n)
			take(s, bytes + used, n);
		used += n;
		if (used < len) {
			t->dot = DOT_SEEN;
			used++;
		}
	}
	return used;
}

void text_feed_chunk(struct session *s, const uint8_t *bytes, size_t len)
{
	scan(&s->text, bytes, len, false);
	take(s, bytes, len);
}

void text_end(struct session *s)
{
	struct sink_text *t = &s->text;

	t->malformed |= t->prev_cr || t->line_len > LINE_MAX_BYTES - 2;
}

void text_free(struct sink_text *t)
{
	sink_buf_free(&t->header);
	EVP_MD_CTX_free(t->digest);
	t->digest = NULL;
}
