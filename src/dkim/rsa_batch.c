#include "dkim/rsa_batch.h"

#include "base/check.h"
#include "dkim/rsa_lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC_EXPONENT 65537
#define LIMBS_STEP 10 /* the arithmetic's lengths: 10, 20, 30, 40 limbs for a prime */

struct rsa_batch {
	u32 (*sign)(struct rsa_lanes *lanes);
	struct rsa_lanes lanes;
};

struct rsa_batch *rsa_batch_open(enum rsa_batch_code code)
{
	struct rsa_batch *batch;

	if (code == RSA_BATCH_IFMA && !rsa_lanes_have_ifma())
		return NULL;
	batch = aligned_alloc(_Alignof(struct rsa_batch), sizeof(*batch));
	if (batch)
		batch->sign =
			code == RSA_BATCH_IFMA ? rsa_lanes_sign_ifma : rsa_lanes_sign_portable;
	return batch;
}

void rsa_batch_close(struct rsa_batch *batch)
{
	if (!batch)
		return;
	explicit_bzero(&batch->lanes, sizeof(batch->lanes));
	free(batch);
}

/* ---- bytes and limbs ---- */

/* Byte `index` from the end of a big-endian number. */
static u64 byte_of(const u8 *bytes, u32 size, u32 index)
{
	return index < size ? bytes[size - 1 - index] : 0;
}

/* Writes limb j of each number at out[j * stride]. */
static void limbs_from_bytes(u64 *out, u32 stride, u32 limbs, const u8 *bytes, u32 size)
{
	for (u32 j = 0; j < limbs; j++) {
		u32 bit = j * RSA_LIMB_BITS;
		u64 limb = 0;

		for (u32 i = 0; i < 8; i++)
			limb |= byte_of(bytes, size, bit / 8 + i) << (8 * i);
		/* 52 bits that begin at bit 0 or 4 of a byte are all within eight bytes. */
		out[j * stride] = limb >> bit % 8 & RSA_LIMB_MASK;
	}
}

static void limbs_to_bytes(u8 *bytes, u32 size, const u64 *limbs, u32 stride)
{
	for (u32 i = 0; i < size; i++) {
		u32 bit = i * 8;
		u32 j = bit / RSA_LIMB_BITS;
		u32 shift = bit % RSA_LIMB_BITS;
		u64 value = limbs[j * stride] >> shift;

		if (shift > RSA_LIMB_BITS - 8)
			value |= limbs[(j + 1) * stride] << (RSA_LIMB_BITS - shift);
		bytes[size - 1 - i] = (u8)value;
	}
}

/* ---- keys ---- */

/* x = 2x mod n, for x below n; the time does not tell the numbers. */
static void double_mod(u64 *x, const u64 *n, u32 limbs)
{
	u64 less[2 * RSA_K_MAX];
	u64 carry = 0;
	i64 borrow = 0;
	u64 keep;

	for (u32 j = 0; j < limbs; j++) {
		u64 limb = (x[j] << 1) + carry;

		x[j] = limb & RSA_LIMB_MASK;
		carry = limb >> RSA_LIMB_BITS;
	}
	/* Moduli leave bits of the top limb free: nothing was carried out of it. */
	for (u32 j = 0; j < limbs; j++) {
		i64 limb = (i64)x[j] - (i64)n[j] + borrow;

		less[j] = (u64)limb & RSA_LIMB_MASK;
		borrow = limb >> RSA_LIMB_BITS;
	}
	keep = (u64)borrow;
	for (u32 j = 0; j < limbs; j++)
		x[j] = (x[j] & keep) | (less[j] & ~keep);
	explicit_bzero(less, sizeof(less));
}

/* x = x * 2^bits mod n */
static void shift_mod(u64 *x, u32 bits, const u64 *n, u32 limbs)
{
	for (u32 i = 0; i < bits; i++)
		double_mod(x, n, limbs);
}

/* -1 / n mod 2^52 for odd n, by Newton's iteration: each step doubles the bits that are right. */
static u64 montgomery_factor(u64 n)
{
	u64 inverse = n; /* right in three bits */

	for (int i = 0; i < 5; i++)
		inverse *= 2 - n * inverse;
	return -inverse & RSA_LIMB_MASK;
}

/* out = -1 / n mod 2^52k: the digits by which Montgomery's reduction would make 1 vanish. */
static void inverse_limbs(u64 *out, const u64 *n, u32 k)
{
	u64 t[2 * RSA_K_MAX + 1] = { 1 };
	u64 factor = montgomery_factor(n[0]);

	for (u32 i = 0; i < k; i++) {
		u64 carry = 0;

		out[i] = t[i] * factor & RSA_LIMB_MASK;
		for (u32 j = 0; j < k; j++) {
			unsigned __int128 sum =
				(unsigned __int128)out[i] * n[j] + t[i + j] + carry;

			t[i + j] = (u64)sum & RSA_LIMB_MASK;
			carry = (u64)(sum >> RSA_LIMB_BITS);
		}
		t[i + k] += carry;
	}
	explicit_bzero(t, sizeof(t));
}

/* The sum of two neighbouring numbers of five limbs; returns its carry as a mask. */
static u64 sum_halves(u64 *out, const u64 *from)
{
	u64 carry = 0;

	for (u32 j = 0; j < 5; j++) {
		u64 limb = from[j] + from[5 + j] + carry;

		out[j] = limb & RSA_LIMB_MASK;
		carry = limb >> RSA_LIMB_BITS;
	}
	return 0 - carry;
}

static void extra_fill(u64 *extra, const u64 *prime)
{
	u64 *fold = extra + RSA_EXTRA_FOLD;
	u64 *sums = extra + RSA_EXTRA_FOLD_SUMS;

	fold[0] = 1;
	shift_mod(fold, RSA_FOLD_BITS, prime, 20);
	extra[RSA_EXTRA_FOLD_CARRIES] = sum_halves(sums, fold);
	extra[RSA_EXTRA_FOLD_CARRIES + 1] = sum_halves(sums + 5, fold + 10);
	inverse_limbs(extra + RSA_EXTRA_INVERSE, prime, 10);
	extra[RSA_EXTRA_P_CARRY] = sum_halves(extra + RSA_EXTRA_P_SUM, prime + 10);
}

static void half_fill(u64 *half, u32 k, const u8 *prime, const u8 *exponent, u32 size)
{
	const u32 r_bits = k * RSA_LIMB_BITS;
	const u32 f_bits = k == 20 ? r_bits / 2 : r_bits;
	u64 *n = half + RSA_HALF_MODULUS(k);
	u64 *one = half + RSA_HALF_ONE(k);
	u64 *into = half + RSA_HALF_INTO(k);
	u64 *out = half + RSA_HALF_OUT(k);

	limbs_from_bytes(n, 1, k, prime, size);
	limbs_from_bytes(half + RSA_HALF_EXPONENT(k), 1, k, exponent, size);
	one[0] = 1;
	shift_mod(one, f_bits, n, k);
	memcpy(into, one, k * sizeof(*into));
	shift_mod(into, 2 * r_bits, n, k);
	out[0] = 1;
	shift_mod(out, r_bits - f_bits, n, k);
	half[RSA_HALF_FACTOR(k)] = montgomery_factor(n[0]);
	if (k == 20)
		extra_fill(half + RSA_HALF_EXTRA(k), n);
}

static void key_fill(struct rsa_batch_key *key, const struct crypto_rsa_numbers *numbers)
{
	const u32 k = key->k;
	const u32 size = numbers->prime_size;
	u64 *p = key->words + RSA_KEY_P(k);
	u64 *q_inverse = key->words + RSA_KEY_QINV(k);
	u64 *n = key->words + RSA_KEY_MODULUS(k);
	u64 *r2 = key->words + RSA_KEY_R2(k);

	half_fill(p, k, numbers->p, numbers->exponent_p, size);
	half_fill(key->words + RSA_KEY_Q(k), k, numbers->q, numbers->exponent_q, size);
	limbs_from_bytes(q_inverse, 1, k, numbers->q_inverse, size);
	shift_mod(q_inverse, k * RSA_LIMB_BITS, p + RSA_HALF_MODULUS(k), k);
	limbs_from_bytes(n, 1, 2 * k, numbers->modulus, numbers->modulus_size);
	r2[0] = 1;
	shift_mod(r2, 4 * k * RSA_LIMB_BITS, n, 2 * k);
	key->words[RSA_KEY_FACTOR(k)] = montgomery_factor(n[0]);
}

struct rsa_batch_key *rsa_batch_key_make(const struct crypto_key *key)
{
	struct crypto_rsa_numbers numbers;
	struct rsa_batch_key *made = NULL;
	u32 k = LIMBS_STEP;

	if (!crypto_key_rsa_numbers(key, &numbers))
		return NULL;
	while (k * RSA_LIMB_BITS < numbers.prime_bits + RSA_SPARE_BITS)
		k += LIMBS_STEP;
	if (k > RSA_K_MAX || numbers.exponent != PUBLIC_EXPONENT)
		goto out;
	made = calloc(1, sizeof(*made) + RSA_KEY_WORDS(k) * sizeof(made->words[0]));
	if (!made)
		goto out;
	made->k = k;
	made->prime_bits = numbers.prime_bits;
	made->modulus_size = numbers.modulus_size;
	key_fill(made, &numbers);
out:
	explicit_bzero(&numbers, sizeof(numbers));
	return made;
}

void rsa_batch_key_free(struct rsa_batch_key *key)
{
	if (!key)
		return;
	explicit_bzero(key, sizeof(*key) + RSA_KEY_WORDS(key->k) * sizeof(key->words[0]));
	free(key);
}

u32 rsa_batch_key_group(const struct rsa_batch_key *key)
{
	static_assert(RSA_K_MAX / LIMBS_STEP == RSA_BATCH_GROUPS, "a group for each length");
	return key->k / LIMBS_STEP - 1;
}

/* ---- signing ---- */

/* EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): 00 01 FF .. FF 00, what hash it is, the hash. */
static void pad(u8 *out, u32 size, const u8 *digest)
{
	static const u8 sha256_info[19] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
					    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
					    0x01, 0x05, 0x00, 0x04, 0x20 };
	u32 hash_at = size - SHA256_SIZE;
	u32 info_at = hash_at - (u32)sizeof(sha256_info);

	memset(out, 0xff, info_at);
	out[0] = 0;
	out[1] = 1;
	out[info_at - 1] = 0;
	memcpy(out + info_at, sha256_info, sizeof(sha256_info));
	memcpy(out + hash_at, digest, SHA256_SIZE);
}

/* Lanes without an item do what the last one does. */
static void fill_lane(struct rsa_lanes *lanes, u32 lane, const struct rsa_batch_item *item)
{
	const struct rsa_batch_key *key = item->key;
	const size_t word_count = RSA_KEY_WORDS(key->k);
	u64 *words = (u64 *)lanes->key;
	u8 padded[CRYPTO_SIGNATURE_MAX];

	for (size_t i = 0; i < word_count; i++)
		words[i * RSA_LANES + lane] = key->words[i];
	pad(padded, key->modulus_size, item->digest);
	limbs_from_bytes((u64 *)lanes->message + lane, RSA_LANES, 2 * key->k, padded,
			 key->modulus_size);
	if (key->prime_bits > lanes->prime_bits)
		lanes->prime_bits = key->prime_bits;
}

u32 rsa_batch_sign(struct rsa_batch *batch, const struct rsa_batch_item *items, u32 count)
{
	struct rsa_lanes *lanes = &batch->lanes;
	u32 good;

	ASSERT(count >= 1 && count <= RSA_BATCH_MAX);
	lanes->k = items[0].key->k;
	lanes->prime_bits = 0;
	for (u32 lane = 0; lane < RSA_LANES; lane++) {
		const struct rsa_batch_item *item = &items[lane < count ? lane : count - 1];

		ASSERT(item->key->k == lanes->k);
		fill_lane(lanes, lane, item);
	}
	good = batch->sign(lanes) & ((1u << count) - 1);
	for (u32 i = 0; i < count; i++) {
		if (good >> i & 1)
			limbs_to_bytes(items[i].signature, items[i].key->modulus_size,
				       (u64 *)lanes->signature + i, RSA_LANES);
	}
	return good;
}
