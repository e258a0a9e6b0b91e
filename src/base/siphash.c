/* SipHash-2-4 (Aumasson and Bernstein, 2012), with the 64-bit and the 128-bit result. */
#include "base/crypto.h"

#include <string.h>

struct sip {
	u64 v0;
	u64 v1;
	u64 v2;
	u64 v3;
};

static inline u64 rotate(u64 x, int by)
{
	return x << by | x >> (64 - by);
}

static inline u64 load_le64(const u8 *p)
{
	u64 x = 0;

	for (int i = 7; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

static inline void store_le64(u8 *p, u64 x)
{
	for (int i = 0; i < 8; i++)
		p[i] = (u8)(x >> (8 * i));
}

static inline void sip_rounds(struct sip *s, int count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void sip_word(struct sip *s, u64 m)
{
	s->v3 ^= m;
	sip_rounds(s, 2);
	s->v0 ^= m;
}

/*
 * Everything up to the finalisation; the last word carries the length in its top byte. `variant`
 * is what the 128-bit form adds to the start value, so that the two forms are unrelated.
 */
static void sip_absorb(struct sip *s, u64 variant, const u8 key[16], const void *bytes, size_t len)
{
	const u8 *p = bytes;
	u64 k0 = load_le64(key);
	u64 k1 = load_le64(key + 8);
	u8 last[8] = { 0 };
	size_t tail = len % 8;

	s->v0 = k0 ^ 0x736f6d6570736575ull;
	s->v1 = k1 ^ 0x646f72616e646f6dull ^ variant;
	s->v2 = k0 ^ 0x6c7967656e657261ull;
	s->v3 = k1 ^ 0x7465646279746573ull;
	for (size_t i = 0; i < len / 8; i++, p += 8)
		sip_word(s, load_le64(p));
	if (tail > 0)
		memcpy(last, p, tail);
	last[7] = (u8)len;
	sip_word(s, load_le64(last));
}

static inline u64 sip_fold(const struct sip *s)
{
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

u64 siphash64(const u8 key[16], const void *bytes, size_t len)
{
	struct sip s;

	sip_absorb(&s, 0, key, bytes, len);
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return sip_fold(&s);
}

void siphash128(u8 out[16], const u8 key[16], const void *bytes, size_t len)
{
	struct sip s;

	sip_absorb(&s, 0xee, key, bytes, len);
	s.v2 ^= 0xee;
	sip_rounds(&s, 4);
	store_le64(out, sip_fold(&s));
	s.v1 ^= 0xdd;
	sip_rounds(&s, 4);
	store_le64(out + 8, sip_fold(&s));
}
