#include "base/guard.h"

#include "base/crypto.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SETS 1024 /* a power of two */
#define WAYS 8

/* Two halves of a keyed hash stand for what is counted: names themselves are not kept. */
struct tally_entry {
	u64 key[2];
	u64 at_ns; /* of the last use, or of the hour's beginning; 0: free */
	u32 count;
};

struct tally {
	struct tally_entry entries[SETS][WAYS];
};

struct guard {
	u8 secret[16];
	u8 claim_secret[SHA256_SIZE];
	struct tally clients;
	struct tally users;
	struct tally known;
	struct tally recipients;
};

struct guard *guard_open(struct error *error)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard) {
		error_set(error, "out of memory for counting failures");
		return NULL;
	}
	random_bytes(guard->secret, sizeof(guard->secret));
	random_bytes(guard->claim_secret, sizeof(guard->claim_secret));
	return guard;
}

void guard_close(struct guard *guard)
{
	if (guard)
		explicit_bzero(guard, sizeof(*guard));
	free(guard);
}

/* ---- tables ---- */

static void key_of(const struct guard *guard, struct slice what, u64 key[2])
{
	siphash128((u8 *)key, guard->secret, what.ptr, what.len);
}

static struct tally_entry *find(struct tally *tally, const u64 key[2])
{
	struct tally_entry *set = tally->entries[key[0] % SETS];

	for (u32 i = 0; i < WAYS; i++) {
		if (set[i].at_ns > 0 && set[i].key[0] == key[0] && set[i].key[1] == key[1])
			return &set[i];
	}
	return NULL;
}

/* The entry, or the one that makes room for it: free, or used longest ago. */
static struct tally_entry *take(struct tally *tally, const u64 key[2])
{
	struct tally_entry *set = tally->entries[key[0] % SETS];
	struct tally_entry *entry = find(tally, key);

	if (entry)
		return entry;
	entry = &set[0];
	for (u32 i = 1; i < WAYS; i++) {
		if (set[i].at_ns < entry->at_ns)
			entry = &set[i];
	}
	*entry = (struct tally_entry){ .key = { key[0], key[1] } };
	return entry;
}

/* What it counted lately. */
static u32 count_of(struct tally *tally, const u64 key[2], u64 within_ns, u64 now_ns)
{
	const struct tally_entry *entry = find(tally, key);

	return entry && now_ns - entry->at_ns < within_ns ? entry->count : 0;
}

/* ---- what is known ---- */

static void claim_key(const struct guard *guard, const struct guard_claim *claim, u64 key[2])
{
	const struct slice parts[] = { claim->name, claim->password, claim->kept };
	u8 digest[SHA256_SIZE];
	struct sha256 hash;

	/* Each with its length in front: no two claims are the same bytes. */
	sha256_init(&hash);
	for (size_t i = 0; i < array_count(parts); i++) {
		u64 len = parts[i].len;

		sha256_add(&hash, &len, sizeof(len));
		sha256_add(&hash, parts[i].ptr, parts[i].len);
	}
	sha256_finish(&hash, digest);
	hmac_sha256(digest, guard->claim_secret, sizeof(guard->claim_secret), digest,
		    sizeof(digest));
	memcpy(key, digest, 2 * sizeof(*key));
}

bool guard_knows(struct guard *guard, const struct guard_claim *claim, u64 now_ns)
{
	struct tally_entry *entry;
	u64 key[2];

	claim_key(guard, claim, key);
	entry = find(&guard->known, key);
	if (!entry || now_ns - entry->at_ns >= GUARD_KNOWN_NS)
		return false;
	entry->at_ns = now_ns;
	return true;
}

void guard_remember(struct guard *guard, const struct guard_claim *claim, u64 now_ns)
{
	u64 key[2];

	claim_key(guard, claim, key);
	take(&guard->known, key)->at_ns = now_ns;
}

/* ---- failures ---- */

enum guard_verdict guard_may_ask(struct guard *guard, struct slice client, struct slice name,
				 u64 now_ns)
{
	u64 key[2];

	key_of(guard, client, key);
	if (count_of(&guard->clients, key, GUARD_CLIENT_NS, now_ns) >= GUARD_CLIENT_FAILURES)
		return GUARD_CLIENT_LATER;
	key_of(guard, name, key);
	if (count_of(&guard->users, key, GUARD_HOUR_NS, now_ns) >= GUARD_USER_FAILURES)
		return GUARD_USER_LATER;
	return GUARD_ASK;
}

u32 guard_fail(struct guard *guard, struct slice client, struct slice name, u64 now_ns,
	       u32 *failures)
{
	struct tally_entry *entry;
	u32 delay_ms = 1000;
	u64 key[2];

	key_of(guard, client, key);
	entry = take(&guard->clients, key);
	entry->count = entry->at_ns > 0 && now_ns - entry->at_ns < GUARD_CLIENT_NS ?
			       entry->count + 1 : 1;
	entry->at_ns = now_ns;
	*failures = entry->count;
	for (u32 i = 1; i < entry->count && delay_ms < GUARD_DELAY_MAX_MS; i++)
		delay_ms *= 2;

	/* An hour from the first one on: guessing on does not keep the user out for good. */
	key_of(guard, name, key);
	entry = take(&guard->users, key);
	if (entry->at_ns == 0 || now_ns - entry->at_ns >= GUARD_HOUR_NS) {
		entry->count = 0;
		entry->at_ns = now_ns;
	}
	entry->count++;
	return min_u32(delay_ms, GUARD_DELAY_MAX_MS);
}

bool guard_count(struct guard *guard, struct slice name, u32 max, u64 now_ns)
{
	struct tally_entry *entry;
	u64 key[2];

	if (max == 0)
		return true;
	key_of(guard, name, key);
	entry = take(&guard->recipients, key);
	if (entry->at_ns == 0 || now_ns - entry->at_ns >= GUARD_HOUR_NS) {
		entry->count = 0;
		entry->at_ns = now_ns;
	}
	if (entry->count >= max)
		return false;
	entry->count++;
	return true;
}
