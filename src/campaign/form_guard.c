#include "campaign/form_guard.h"

#include "base/crypto.h"
#include "base/net_address.h"
#include "base/random.h"

#include <string.h>

#define HOUR_S 3600
#define PROBES 16

void form_guard_init(struct form_guard *guard)
{
	memset(guard, 0, sizeof(*guard));
	pthread_mutex_init(&guard->lock, NULL);
	random_bytes(guard->secret, sizeof(guard->secret));
}

/* `contact` of the token is a random number, so that no two are the same. */
size_t form_guard_token(const struct link_keys *keys, u32 form, u64 now_s, char out[LINK_TOKEN_MAX])
{
	struct link_token token = { .purpose = LINK_FILL,
				    .campaign = form,
				    .extra = now_s,
				    .expires_s = now_s + FORM_SHOWN_S };

	random_bytes(&token.contact, sizeof(token.contact));
	return link_token_make(keys, &token, out);
}

bool form_proof_is_good(struct slice token, struct slice proof)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u32 zeros = 0;

	if (proof.len == 0 || proof.len > FORM_PROOF_MAX)
		return false;
	sha256_init(&hash);
	sha256_add(&hash, token.ptr, token.len);
	sha256_add(&hash, ":", 1);
	sha256_add(&hash, proof.ptr, proof.len);
	sha256_finish(&hash, digest);
	while (zeros < FORM_PROOF_BITS && !(digest[zeros / 8] >> (7 - zeros % 8) & 1))
		zeros++;
	return zeros == FORM_PROOF_BITS;
}

/* ---- nets ---- */

/* An IPv4 address, or the /64 of an IPv6 one. */
static u64 net_of(const struct form_guard *guard, struct slice peer)
{
	struct net_address address;
	u64 net = 1; /* all that have none that we know */

	if (net_address_parse(&address, peer, false))
		net = siphash64(guard->secret, address.ip, address.family == 4 ? 4 : 8);
	return net ? net : 1;
}

/* Counts one more in this hour. False: it had its share. */
static bool count_net(struct form_guard *guard, u64 net, u64 now_s, u32 rate)
{
	u64 hour = now_s / HOUR_S;
	struct form_net *place = NULL;

	for (u32 i = 0; i < PROBES; i++) {
		struct form_net *one = &guard->nets[(net + i) % FORM_NETS];

		if (one->net == net) {
			place = one;
			break;
		}
		if (!place || one->hour < place->hour ||
		    (one->hour == place->hour && one->count < place->count))
			place = one;
	}
	if (place->net != net || place->hour != hour)
		*place = (struct form_net){ net, hour, 0 };
	if (place->count >= rate)
		return false;
	place->count++;
	return true;
}

/* ---- tokens ---- */

/* Where the token is noted, or could be; NULL: there is no place. */
static struct form_used *place_of(struct form_guard *guard, u64 token, u64 now_s)
{
	struct form_used *room = NULL;

	for (u32 i = 0; i < PROBES; i++) {
		struct form_used *one = &guard->used[(token + i) % FORM_TOKENS];

		if (one->token == token && one->until_s > now_s)
			return one;
		if (!room && one->until_s <= now_s)
			room = one;
	}
	return room;
}

enum form_verdict form_guard_judge(struct form_guard *guard, const struct link_keys *keys,
				   const struct form_try *attempt, u32 *wait_s)
{
	bool is_proven = form_proof_is_good(attempt->token, attempt->proof);
	u64 patience_s = is_proven ? FORM_QUICK_S : FORM_PATIENT_S;
	u32 rate = is_proven ? FORM_RATE_PROVEN : FORM_RATE_PATIENT;
	enum form_verdict verdict = FORM_LETS_IN;
	struct link_token token;
	struct form_used *used;
	u64 hash;

	*wait_s = 0;
	if (!link_token_read(keys, LINK_FILL, attempt->token, attempt->now_s, &token) ||
	    token.campaign != attempt->form || token.extra > attempt->now_s + FORM_QUICK_S)
		return FORM_NO_TOKEN;
	if (attempt->now_s < token.extra + patience_s) {
		*wait_s = (u32)(token.extra + patience_s - attempt->now_s);
		return FORM_TOO_QUICK;
	}
	hash = siphash64(guard->secret, attempt->token.ptr, attempt->token.len);
	pthread_mutex_lock(&guard->lock);
	used = place_of(guard, hash, attempt->now_s);
	if (used && used->token == hash && used->until_s > attempt->now_s)
		verdict = FORM_NO_TOKEN;
	else if (!used || !count_net(guard, net_of(guard, attempt->peer), attempt->now_s, rate))
		verdict = FORM_TOO_MANY;
	else
		*used = (struct form_used){ hash, token.expires_s };
	pthread_mutex_unlock(&guard->lock);
	return verdict;
}

bool form_guard_takes_mail(struct form_guard *guard, u32 contact, u64 now_s, u32 rate)
{
	u64 net = siphash64(guard->secret, &contact, sizeof(contact));
	bool takes;

	pthread_mutex_lock(&guard->lock);
	takes = count_net(guard, net ? net : 1, now_s, rate);
	pthread_mutex_unlock(&guard->lock);
	return takes;
}
