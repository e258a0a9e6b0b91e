#include "dkim/plan.h"

#include "dkim/rsa_batch.h"

#include <assert.h>
#include <stdlib.h>

#define SIGNER_KEYS_MAX 64
static_assert(DKIM_LANES_MAX == RSA_BATCH_MAX, "what callers gather is what a batch takes");

/* A key's context; the key's number tells a new key at the address of a freed one. */
struct slot {
	struct crypto_signer *context;
	struct rsa_batch_key *batch_key; /* NULL: its signatures are made one by one */
	u64 key_id;
	u64 used_at;
};

/* One signature that waits for others of its group. */
struct waiting {
	struct slot *slot;
	struct dkim_work *work;
	u32 index; /* which signature of the work */
};

struct group {
	struct waiting waiting[RSA_BATCH_MAX];
	u32 count;
};

struct dkim_signer {
	struct rsa_batch *batch; /* NULL: this processor has none */
	struct slot slots[SIGNER_KEYS_MAX];
	size_t count;
	u64 now; /* counts uses */
	u64 refused;
	struct group groups[RSA_BATCH_GROUPS];
};

struct dkim_signer *dkim_signer_open(void)
{
	struct dkim_signer *signer = calloc(1, sizeof(*signer));

	if (signer)
		signer->batch = rsa_batch_open(RSA_BATCH_IFMA);
	return signer;
}

static void slot_done(struct slot *slot)
{
	crypto_signer_close(slot->context);
	rsa_batch_key_free(slot->batch_key);
}

void dkim_signer_close(struct dkim_signer *signer)
{
	if (!signer)
		return;
	for (size_t i = 0; i < signer->count; i++)
		slot_done(&signer->slots[i]);
	rsa_batch_close(signer->batch);
	free(signer);
}

u32 dkim_signer_lanes(const struct dkim_signer *signer)
{
	return signer->batch ? DKIM_LANES_MAX : 1;
}

u64 dkim_signer_take_refused(struct dkim_signer *signer)
{
	u64 refused = signer->refused;

	signer->refused = 0;
	return refused;
}

/* A signature that cannot be made stays without length: dkim_is_signed tells. */
static void sign_alone(const struct waiting *one)
{
	struct dkim_work *work = one->work;

	work->signature_len[one->index] = (u16)crypto_sign_digest(
		one->slot->context, work->digest[one->index], work->signature[one->index]);
}

/* A signature that failed its check in the batch is made again by OpenSSL. */
static void sign_group(struct dkim_signer *signer, struct group *group)
{
	struct rsa_batch_item items[RSA_BATCH_MAX];
	u32 good = 0;

	for (u32 i = 0; i < group->count; i++) {
		const struct waiting *one = &group->waiting[i];

		items[i] = (struct rsa_batch_item){ .key = one->slot->batch_key,
						    .digest = one->work->digest[one->index],
						    .signature = one->work->signature[one->index] };
	}
	if (group->count >= RSA_BATCH_WORTHWHILE) {
		good = rsa_batch_sign(signer->batch, items, group->count);
		signer->refused += group->count - (u32)__builtin_popcount(good);
	}
	for (u32 i = 0; i < group->count; i++) {
		struct waiting *one = &group->waiting[i];
		const struct dkim_key *key = one->work->plan->signatures[one->index].key;

		if (good >> i & 1)
			one->work->signature_len[one->index] =
				(u16)crypto_key_signature_size(key->private_key);
		else
			sign_alone(one);
	}
	group->count = 0;
}

static void sign_waiting(struct dkim_signer *signer)
{
	for (u32 i = 0; i < RSA_BATCH_GROUPS; i++) {
		if (signer->groups[i].count > 0)
			sign_group(signer, &signer->groups[i]);
	}
}

static struct slot *least_recently_used(struct dkim_signer *signer)
{
	struct slot *oldest = &signer->slots[0];

	for (size_t i = 1; i < signer->count; i++) {
		if (signer->slots[i].used_at < oldest->used_at)
			oldest = &signer->slots[i];
	}
	return oldest;
}

/* Making room may take the keys of signatures that wait: those are made first. */
static struct slot *slot_for(struct dkim_signer *signer, const struct crypto_key *key)
{
	u64 id = crypto_key_id(key);
	struct crypto_signer *context;
	struct slot *slot;

	for (size_t i = 0; i < signer->count; i++) {
		slot = &signer->slots[i];
		if (slot->key_id == id) {
			slot->used_at = ++signer->now;
			return slot;
		}
	}
	context = crypto_signer_open(key, NULL);
	if (!context)
		return NULL;
	if (signer->count < SIGNER_KEYS_MAX) {
		slot = &signer->slots[signer->count++];
	} else {
		sign_waiting(signer);
		slot = least_recently_used(signer);
		slot_done(slot);
	}
	*slot = (struct slot){ .context = context, .key_id = id, .used_at = ++signer->now };
	if (signer->batch)
		slot->batch_key = rsa_batch_key_make(key);
	return slot;
}

static void sign_one(struct dkim_signer *signer, struct dkim_work *work)
{
	for (u32 i = 0; i < work->plan->signature_count; i++) {
		const struct dkim_key *key = work->plan->signatures[i].key;
		struct slot *slot = slot_for(signer, key->private_key);
		struct waiting one = { .slot = slot, .work = work, .index = i };
		struct group *group;

		if (!slot)
			return;
		if (!slot->batch_key) {
			sign_alone(&one);
			continue;
		}
		group = &signer->groups[rsa_batch_key_group(slot->batch_key)];
		group->waiting[group->count++] = one;
		if (group->count == RSA_BATCH_MAX)
			sign_group(signer, group);
	}
}

bool dkim_is_signed(const struct dkim_work *work)
{
	for (size_t i = 0; i < work->plan->signature_count; i++) {
		if (work->signature_len[i] == 0)
			return false;
	}
	return true;
}

bool dkim_sign(struct dkim_signer *signer, struct dkim_work *const *works, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		sign_one(signer, works[i]);
	sign_waiting(signer);
	for (size_t i = 0; i < count; i++)
		ok = ok && dkim_is_signed(works[i]);
	return ok;
}
