#include "dkim/plan.h"

#include <stdlib.h>

#define SIGNER_KEYS_MAX 64

/* A key's context; the key's number tells a new key at the address of a freed one. */
struct slot {
	struct crypto_signer *context;
	u64 key_id;
	u64 used_at;
};

struct dkim_signer {
	struct slot slots[SIGNER_KEYS_MAX];
	size_t count;
	u64 now; /* counts uses */
};

struct dkim_signer *dkim_signer_open(void)
{
	return calloc(1, sizeof(struct dkim_signer));
}

void dkim_signer_close(struct dkim_signer *signer)
{
	if (!signer)
		return;
	for (size_t i = 0; i < signer->count; i++)
		crypto_signer_close(signer->slots[i].context);
	free(signer);
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

static struct crypto_signer *context_for(struct dkim_signer *signer, const struct crypto_key *key)
{
	u64 id = crypto_key_id(key);
	struct crypto_signer *context;
	struct slot *slot;

	for (size_t i = 0; i < signer->count; i++) {
		slot = &signer->slots[i];
		if (slot->key_id == id) {
			slot->used_at = ++signer->now;
			return slot->context;
		}
	}
	context = crypto_signer_open(key, NULL);
	if (!context)
		return NULL;
	if (signer->count < SIGNER_KEYS_MAX) {
		slot = &signer->slots[signer->count++];
	} else {
		slot = least_recently_used(signer);
		crypto_signer_close(slot->context);
	}
	*slot = (struct slot){ .context = context, .key_id = id, .used_at = ++signer->now };
	return context;
}

static bool sign_one(struct dkim_signer *signer, struct dkim_work *work)
{
	for (size_t i = 0; i < work->plan->signature_count; i++) {
		const struct dkim_key *key = work->plan->signatures[i].key;
		struct crypto_signer *context = context_for(signer, key->private_key);

		if (!context)
			return false;
		work->signature_len[i] =
			(u16)crypto_sign_digest(context, work->digest[i], work->signature[i]);
		if (work->signature_len[i] == 0)
			return false;
	}
	return true;
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
		ok = sign_one(signer, works[i]) && ok;
	return ok;
}
