#include "base/random.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	u8 *to = out;

	while (len > 0) {
		ssize_t got = getrandom(to, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			CRASH("getrandom: %s", strerror(errno));
		to += got;
		len -= (size_t)got;
	}
}

static u64 splitmix64(u64 *x)
{
	u64 z = (*x += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void random_seed(struct random *r, u64 seed)
{
	for (size_t i = 0; i < 4; i++)
		r->s[i] = splitmix64(&seed);
}

static u64 rotate_left(u64 x, int k)
{
	return x << k | x >> (64 - k);
}

u64 random_u64(struct random *r)
{
	u64 result = rotate_left(r->s[1] * 5, 7) * 9;
	u64 t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotate_left(r->s[3], 45);
	return result;
}

u64 random_below(struct random *r, u64 bound)
{
	ASSERT(bound >= 1);
	return (u64)(((unsigned __int128)random_u64(r) * bound) >> 64);
}

u64 random_jitter(struct random *r, u64 value, u32 percent)
{
	u64 span = value / 100 * percent;

	ASSERT(percent <= 100);
	return value - span + random_below(r, 2 * span + 1);
}
