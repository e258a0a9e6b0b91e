/*
 * memcmp, eight bytes at a time. Replaces musl's, which compares byte by byte: LMDB spends its time
 * comparing keys, and with this one puts are a sixth faster (as fast as with glibc).
 */
#include <stdint.h>
#include <string.h>

/* The next eight bytes as a number that orders as the bytes do: the first counts most. */
static inline uint64_t word_at(const unsigned char *bytes)
{
	uint64_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return __builtin_bswap64(word);
}

int memcmp(const void *left, const void *right, size_t n)
{
	const unsigned char *l = left, *r = right;

	for (; n >= 8; n -= 8, l += 8, r += 8) {
		uint64_t a = word_at(l), b = word_at(r);

		if (a != b)
			return a < b ? -1 : 1;
	}
	for (; n; n--, l++, r++)
		if (*l != *r)
			return *l - *r;
	return 0;
}
