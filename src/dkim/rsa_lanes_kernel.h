/*
 * The arithmetic of rsa_lanes.h. Included by a file that defines
 *
 *   LANES_CODE            attributes of every function here
 *   lane_low(t, a, b)     t + the low 52 bits of a * b, in each lane, of the low 52 bits of a, b
 *   lane_high(t, a, b)    t + the bits 52..103 of a * b
 *   UNROLL                in front of a loop over limbs, whose sums are to stay in registers
 *
 * and calls sign_lanes, its last function.
 *
 * Montgomery numbers stay below twice the modulus: R is more than four times as large, so products
 * need no final subtraction. Sums of limbs grow to 59 bits before their carries are taken.
 *
 * Montgomery's quotient digit u makes the lowest limb a multiple of 2^52, so what that limb carries
 * on is known without the product: it is rounded up.
 */
#ifndef DKIM_RSA_LANES_KERNEL_H
#define DKIM_RSA_LANES_KERNEL_H

#include "dkim/rsa_lanes.h"

#define LANES_INLINE LANES_CODE inline __attribute__((always_inline))
#define LANES_STEP LANES_CODE __attribute__((noinline))

/* What Montgomery's reduction needs. */
struct lane_modulus {
	const lane8 *n;
	const lane8 *factor; /* -1/n mod 2^52 */
	u32 k;
};

typedef i64 lane8_signed __attribute__((vector_size(64), aligned(64)));

LANES_INLINE lane8 lane_all(u64 value)
{
	return (lane8){ value, value, value, value, value, value, value, value };
}

LANES_INLINE lane8 lane_round_up(lane8 t)
{
	return (t + lane_all(RSA_LIMB_MASK)) >> RSA_LIMB_BITS;
}

/* Brings limbs, which may be negative, to 52 bits each; returns what is left over at the top. */
LANES_INLINE lane8 carry_signed(lane8 *r, const lane8 *t, const u32 k)
{
	lane8 carry = lane_all(0);

	for (u32 j = 0; j < k; j++) {
		lane8 limb = t[j] + carry;

		r[j] = limb & lane_all(RSA_LIMB_MASK);
		carry = (lane8)((lane8_signed)limb >> RSA_LIMB_BITS);
	}
	return carry;
}

/* Up to 20 limbs: the running sums stay in registers. k is a constant in each of its uses. */
LANES_INLINE void carry_registers(lane8 *r, const lane8 *t, const u32 k)
{
	lane8 carry = lane_all(0);

	UNROLL for (u32 j = 0; j < k; j++)
	{
		lane8 limb = t[j] + carry;

		r[j] = limb & lane_all(RSA_LIMB_MASK);
		carry = limb >> RSA_LIMB_BITS;
	}
}

/* t = (t + u * n) / 2^52, of k + 1 limbs, for the digit u that makes the lowest one vanish. */
LANES_INLINE void reduce_step(lane8 *t, const lane8 *n, lane8 factor, const u32 k)
{
	lane8 u = lane_low(lane_all(0), t[0], factor);
	lane8 carry = lane_high(lane_round_up(t[0]), n[0], u);

	UNROLL for (u32 j = 1; j < k; j++)
	{
		lane8 limb = n[j];

		t[j] = lane_low(t[j], limb, u);
		t[j + 1] = lane_high(t[j + 1], limb, u);
	}
	t[0] = t[1] + carry;
	UNROLL for (u32 j = 1; j < k; j++)
		t[j] = t[j + 1];
}

LANES_INLINE void reduce_registers(lane8 *r, const lane8 *wide, const struct lane_modulus *m,
				   const u32 k)
{
	const lane8 factor = *m->factor;
	lane8 t[21];

	UNROLL for (u32 j = 0; j < k; j++)
		t[j] = wide[j];
	for (u32 i = 0; i < k; i++) {
		t[k] = wide[i + k];
		reduce_step(t, m->n, factor, k);
	}
	carry_registers(r, t, k);
}

LANES_INLINE void multiply_registers(lane8 *r, const lane8 *a, const lane8 *b,
				     const struct lane_modulus *m, const u32 k)
{
	const lane8 factor = *m->factor;
	lane8 t[21];

	UNROLL for (u32 j = 0; j <= k; j++)
		t[j] = lane_all(0);
	for (u32 i = 0; i < k; i++) {
		lane8 by = b[i];

		UNROLL for (u32 j = 0; j < k; j++)
		{
			lane8 limb = a[j];

			t[j] = lane_low(t[j], limb, by);
			t[j + 1] = lane_high(t[j + 1], limb, by);
		}
		reduce_step(t, m->n, factor, k);
		t[k] = lane_all(0);
	}
	carry_registers(r, t, k);
}

/*
 * Two neighbouring columns of a square at a time, low and high halves apart: four sums that do not
 * wait for each other. Each product of different limbs is made once and counted twice.
 */
LANES_INLINE void square_columns(lane8 *wide, const lane8 *from, const u32 k)
{
	lane8 a[20];

	UNROLL for (u32 j = 0; j < k; j++)
		a[j] = from[j];
	UNROLL for (u32 c = 0; c < 2 * k; c += 2)
	{
		lane8 low0 = lane_all(0), high0 = low0, low1 = low0, high1 = low0;

		UNROLL for (u32 i = 0; i < k; i++)
		{
			if (c >= i && c - i > i && c - i < k)
				low0 = lane_low(low0, a[i], a[c - i]);
			if (c + 1 - i > i && c + 1 - i < k)
				low1 = lane_low(low1, a[i], a[c + 1 - i]);
			if (c >= i + 1 && c - 1 - i > i && c - 1 - i < k)
				high0 = lane_high(high0, a[i], a[c - 1 - i]);
			if (c >= i && c - i > i && c - i < k)
				high1 = lane_high(high1, a[i], a[c - i]);
		}
		low0 += high0;
		low1 += high1;
		wide[c] = lane_low(low0 + low0, a[c / 2], a[c / 2]);
		wide[c + 1] = lane_high(low1 + low1, a[c / 2], a[c / 2]);
	}
}

#include "dkim/rsa_lanes_20.h"

LANES_STEP void multiply_10(lane8 *r, const lane8 *a, const lane8 *b,
			    const struct lane_modulus *m)
{
	multiply_registers(r, a, b, m, 10);
}

LANES_STEP void multiply_20(lane8 *r, const lane8 *a, const lane8 *b,
			    const struct lane_modulus *m)
{
	multiply_registers(r, a, b, m, 20);
}

LANES_STEP void reduce_10(lane8 *r, const lane8 *wide, const struct lane_modulus *m)
{
	reduce_registers(r, wide, m, 10);
}

LANES_STEP void reduce_20(lane8 *r, const lane8 *wide, const struct lane_modulus *m)
{
	reduce_registers(r, wide, m, 20);
}

LANES_STEP void square_10(lane8 *wide, const lane8 *a)
{
	square_columns(wide, a, 10);
}

LANES_STEP void square_20(lane8 *wide, const lane8 *a)
{
	square_columns(wide, a, 20);
}

/*
 * Any even length: the running sums are in memory. Two digits at a time: four products for each
 * load and store of a sum.
 */
LANES_CODE void reduce_memory(lane8 *r, lane8 *wide, const struct lane_modulus *m)
{
	const lane8 *n = m->n;
	const lane8 factor = *m->factor;
	const u32 k = m->k;

	for (u32 i = 0; i < k; i += 2, wide += 2) {
		lane8 u = lane_low(lane_all(0), wide[0], factor);
		lane8 second = wide[1] + lane_round_up(wide[0]);
		lane8 before = n[0];
		lane8 last = n[1];
		lane8 v;

		second = lane_high(lane_low(second, last, u), before, u);
		v = lane_low(lane_all(0), second, factor);
		wide[2] += lane_round_up(second);
		for (u32 j = 2; j < k; j++) {
			lane8 limb = n[j];
			lane8 sum = lane_high(lane_low(wide[j], limb, u), last, u);

			wide[j] = lane_high(lane_low(sum, last, v), before, v);
			before = last;
			last = limb;
		}
		wide[k] = lane_high(lane_low(lane_high(wide[k], last, u), last, v), before, v);
		wide[k + 1] = lane_high(wide[k + 1], last, v);
	}
	carry_signed(r, wide, k);
}

/* wide = a * b: 2k sums, carries not taken. */
LANES_CODE void multiply_wide(lane8 *wide, const lane8 *a, const lane8 *b, u32 k)
{
	for (u32 j = 0; j < 2 * k; j++)
		wide[j] = lane_all(0);
	for (u32 i = 0; i < k; i++) {
		lane8 by = b[i];
		lane8 last = a[0];

		wide[i] = lane_low(wide[i], last, by);
		for (u32 j = 1; j < k; j++) {
			lane8 limb = a[j];

			wide[i + j] = lane_high(lane_low(wide[i + j], limb, by), last, by);
			last = limb;
		}
		wide[i + k] = lane_high(wide[i + k], last, by);
	}
}

/* wide = a * a: each product of different limbs is made once and counted twice. */
LANES_CODE void square_wide(lane8 *wide, const lane8 *a, u32 k)
{
	for (u32 j = 0; j < 2 * k; j++)
		wide[j] = lane_all(0);
	for (u32 i = 0; i < k; i += 2) {
		lane8 x = a[i];
		lane8 y = a[i + 1];
		lane8 last_x = y;
		lane8 last_y = lane_all(0);
		lane8 before = lane_all(0);

		wide[2 * i + 1] = lane_low(wide[2 * i + 1], y, x);
		for (u32 j = i + 2; j < k; j++) {
			lane8 limb = a[j];
			lane8 sum = lane_high(lane_low(wide[i + j], limb, x), last_x, x);

			wide[i + j] = lane_high(lane_low(sum, last_y, y), before, y);
			before = last_y;
			last_x = limb;
			last_y = limb;
		}
		wide[i + k] = lane_high(lane_low(lane_high(wide[i + k], last_x, x), last_y, y),
					before, y);
		wide[i + k + 1] = lane_high(wide[i + k + 1], last_y, y);
	}
	for (u32 i = 0; i < k; i++) {
		wide[2 * i] = lane_low(wide[2 * i] + wide[2 * i], a[i], a[i]);
		wide[2 * i + 1] = lane_high(wide[2 * i + 1] + wide[2 * i + 1], a[i], a[i]);
	}
}

/* r = wide / R, for wide below n * R; `wide` is used up. */
LANES_CODE void mont_reduce(lane8 *r, lane8 *wide, const struct lane_modulus *m)
{
	if (m->k == 20)
		reduce_20(r, wide, m);
	else if (m->k == 10)
		reduce_10(r, wide, m);
	else
		reduce_memory(r, wide, m);
}

/* r = a * b / R; `wide` is memory for 2k limbs. */
LANES_CODE void mont_multiply(lane8 *r, const lane8 *a, const lane8 *b,
			      const struct lane_modulus *m, lane8 *wide)
{
	if (m->k == 20) {
		multiply_20(r, a, b, m);
	} else if (m->k == 10) {
		multiply_10(r, a, b, m);
	} else {
		multiply_wide(wide, a, b, m->k);
		reduce_memory(r, wide, m);
	}
}

LANES_CODE void mont_square(lane8 *r, const lane8 *a, const struct lane_modulus *m, lane8 *wide)
{
	if (m->k == 20) {
		square_20(wide, a);
		reduce_20(r, wide, m);
	} else if (m->k == 10) {
		square_10(wide, a);
		reduce_10(r, wide, m);
	} else {
		square_wide(wide, a, m->k);
		reduce_memory(r, wide, m);
	}
}

/* a below 2n becomes a mod n. */
LANES_CODE void reduce_once(lane8 *a, const struct lane_modulus *m, lane8 *less)
{
	const lane8 *n = m->n;
	const u32 k = m->k;
	lane8 borrow;

	for (u32 j = 0; j < k; j++)
		less[j] = a[j] - n[j];
	borrow = carry_signed(less, less, k); /* all ones where a was smaller already */
	for (u32 j = 0; j < k; j++)
		a[j] = (a[j] & borrow) | (less[j] & ~borrow);
}

/*
 * Ten limbs of the table's entry that `index` names in each lane. Every entry is read, so neither
 * the addresses nor the masks of the reads tell which one it was.
 */
LANES_STEP void table_read(lane8 *r, const lane8 *table, const lane8 *index, u32 k)
{
	lane8 t[10];

	UNROLL for (u32 j = 0; j < 10; j++)
		t[j] = lane_all(0);
	for (u32 entry = 0; entry < 1 << RSA_WINDOW_BITS; entry++) {
		lane8 wanted = (lane8)(*index == lane_all(entry));

		UNROLL for (u32 j = 0; j < 10; j++)
			t[j] |= table[entry * k + j] & wanted;
	}
	UNROLL for (u32 j = 0; j < 10; j++)
		r[j] = t[j];
}

/* The bits at..at + RSA_WINDOW_BITS - 1 of an exponent. */
LANES_INLINE lane8 window(const lane8 *exponent, u32 at)
{
	u32 limb = at / RSA_LIMB_BITS;
	u32 shift = at % RSA_LIMB_BITS;

	return ((exponent[limb] >> shift) | (exponent[limb + 1] << (RSA_LIMB_BITS - shift))) &
	       lane_all((1 << RSA_WINDOW_BITS) - 1);
}

LANES_INLINE struct lane_modulus half_modulus(const lane8 *half, u32 k)
{
	return (struct lane_modulus){ half + RSA_HALF_MODULUS(k), half + RSA_HALF_FACTOR(k), k };
}

/* The numbers of power(), of both primes; they stand for themselves times F. */
struct lane_power {
	u32 k;
	struct lane_modulus modulus[2];
	struct lane_step steps[2]; /* for 20 limbs */
	lane8 *wide;               /* for others */
};

LANES_CODE void power_square(lane8 *const r[2], const lane8 *const a[2], struct lane_power *by)
{
	if (by->k == 20) {
		square_both(r, a, by->steps);
		return;
	}
	for (u32 i = 0; i < 2; i++)
		mont_square(r[i], a[i], &by->modulus[i], by->wide);
}

LANES_CODE void power_multiply(lane8 *const r[2], const lane8 *const a[2], const lane8 *const b[2],
			       struct lane_power *by)
{
	if (by->k == 20) {
		multiply_both(r, a, b, by->steps);
		return;
	}
	for (u32 i = 0; i < 2; i++)
		mont_multiply(r[i], a[i], b[i], &by->modulus[i], by->wide);
}

/* table[e] = base ^ e */
LANES_CODE void fill_tables(struct rsa_lanes *lanes, const lane8 *const halves[2],
			    struct lane_power *by)
{
	const u32 k = lanes->k;
	const lane8 *const base[2] = { lanes->base[0], lanes->base[1] };

	for (u32 i = 0; i < 2; i++) {
		for (u32 j = 0; j < k; j++) {
			lanes->table[i][j] = halves[i][RSA_HALF_ONE(k) + j];
			lanes->table[i][k + j] = base[i][j];
		}
	}
	for (u32 e = 2; e < 1 << RSA_WINDOW_BITS; e += 2) {
		const lane8 *const root[2] = { lanes->table[0] + e / 2 * k,
					       lanes->table[1] + e / 2 * k };
		lane8 *const even[2] = { lanes->table[0] + e * k, lanes->table[1] + e * k };
		lane8 *const odd[2] = { even[0] + k, even[1] + k };

		power_square(even, root, by);
		power_multiply(odd, (const lane8 *const *)even, base, by);
	}
}

/* One in `of` parts of reading the entry for the exponent's bits from `at` on. */
LANES_CODE void read_entry(struct rsa_lanes *lanes, const lane8 *const halves[2], u32 at, u32 part,
			   u32 of)
{
	const u32 k = lanes->k;
	const u32 pieces = 2 * k / 10;

	for (u32 piece = part * pieces / of; piece < (part + 1) * pieces / of; piece++) {
		u32 i = piece % 2;
		u32 from = piece / 2 * 10;
		lane8 index = window(halves[i] + RSA_HALF_EXPONENT(k), at);

		table_read(lanes->entry[i] + from, lanes->table[i] + from, &index, k);
	}
}

/*
 * half = base ^ exponent mod the prime, times F like base; for both primes. Tables are read a part
 * at a time: the caches answer while squares are made.
 */
LANES_CODE void power(struct rsa_lanes *lanes, const lane8 *const halves[2], struct lane_power *by)
{
	lane8 *const r[2] = { lanes->half[0], lanes->half[1] };
	const lane8 *const from[2] = { r[0], r[1] };
	const lane8 *const entry[2] = { lanes->entry[0], lanes->entry[1] };
	u32 at = (lanes->prime_bits - 1) / RSA_WINDOW_BITS * RSA_WINDOW_BITS;

	fill_tables(lanes, halves, by);
	read_entry(lanes, halves, at, 0, 1);
	for (u32 j = 0; j < lanes->k; j++) {
		r[0][j] = entry[0][j];
		r[1][j] = entry[1][j];
	}
	while (at > 0) {
		at -= RSA_WINDOW_BITS;
		for (u32 i = 0; i < RSA_WINDOW_BITS; i++) {
			power_square(r, from, by);
			read_entry(lanes, halves, at, i, RSA_WINDOW_BITS);
		}
		power_multiply(r, from, entry, by);
	}
}

/* half = message ^ (d mod prime - 1) mod prime, for both primes */
LANES_CODE void sign_halves(struct rsa_lanes *lanes)
{
	const u32 k = lanes->k;
	const lane8 *const halves[2] = { lanes->key + RSA_KEY_P(k), lanes->key + RSA_KEY_Q(k) };
	lane8 *const r[2] = { lanes->half[0], lanes->half[1] };
	struct lane_power by = { .k = k, .wide = lanes->wide };
	lane8 *wide = lanes->wide;

	for (u32 i = 0; i < 2; i++) {
		by.modulus[i] = half_modulus(halves[i], k);
		by.steps[i].p = halves[i];
		by.steps[i].extra = halves[i] + RSA_HALF_EXTRA(k);
		for (u32 j = 0; j < 2 * k; j++)
			wide[j] = lanes->message[j];
		mont_reduce(lanes->base[i], wide, &by.modulus[i]);
		mont_multiply(lanes->base[i], lanes->base[i], halves[i] + RSA_HALF_INTO(k),
			      &by.modulus[i], wide);
	}
	power(lanes, halves, &by);
	for (u32 i = 0; i < 2; i++) {
		mont_multiply(r[i], r[i], halves[i] + RSA_HALF_OUT(k), &by.modulus[i], wide);
		reduce_once(r[i], &by.modulus[i], wide);
	}
}

/* signature = half q + q * ((half p - half q) / q mod p) (RFC 8017 section 5.1.2) */
LANES_CODE void recombine(struct rsa_lanes *lanes)
{
	const u32 k = lanes->k;
	const struct lane_modulus p = half_modulus(lanes->key + RSA_KEY_P(k), k);
	const struct lane_modulus q = half_modulus(lanes->key + RSA_KEY_Q(k), k);
	lane8 *h = lanes->number;
	lane8 *wide = lanes->wide;

	for (u32 j = 0; j < k; j++)
		h[j] = lanes->half[0][j] + p.n[j] + p.n[j] - lanes->half[1][j];
	carry_signed(h, h, k);
	mont_multiply(h, h, lanes->key + RSA_KEY_QINV(k), &p, wide);
	reduce_once(h, &p, wide);
	multiply_wide(wide, h, q.n, k);
	for (u32 j = 0; j < k; j++)
		wide[j] += lanes->half[1][j];
	carry_signed(lanes->signature, wide, 2 * k);
}

LANES_CODE u32 verify(struct rsa_lanes *lanes)
{
	const u32 k = lanes->k;
	const struct lane_modulus m = { lanes->key + RSA_KEY_MODULUS(k),
					lanes->key + RSA_KEY_FACTOR(k), 2 * k };
	lane8 *x = lanes->number;
	lane8 *wide = lanes->wide;
	lane8 differs = lane_all(0);
	u32 good = 0;

	mont_multiply(x, lanes->signature, lanes->key + RSA_KEY_R2(k), &m, wide);
	for (u32 i = 0; i < 16; i++)
		mont_square(x, x, &m, wide);
	mont_multiply(x, x, lanes->signature, &m, wide);
	reduce_once(x, &m, wide);
	for (u32 j = 0; j < 2 * k; j++)
		differs |= x[j] ^ lanes->message[j];
	for (u32 lane = 0; lane < RSA_LANES; lane++)
		good |= (u32)(differs[lane] == 0) << lane;
	return good;
}

LANES_CODE u32 sign_lanes(struct rsa_lanes *lanes)
{
	sign_halves(lanes);
	recombine(lanes);
	return verify(lanes);
}

#endif
