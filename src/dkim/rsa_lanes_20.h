/*
 * Products modulo primes of 20 limbs (RSA-2048, what nearly everybody signs with) in fewer
 * multiplications than limb by limb: 999 instead of 1,220 for a square. Included by
 * rsa_lanes_kernel.h.
 *
 * X is 2^520, ten limbs. A number here stands for itself times X (Montgomery's form with X, not
 * with all of R) and is below 2^1038. A product T of two, 40 columns, is brought back to 20:
 *
 *   from above  D = T / 2^1556 is replaced by D * fold, fold = 2^1556 mod p: ten limbs less
 *   from below  q = T * (-1/p) mod X, T + q * p is a multiple of X and is divided by it: ten less
 *
 * Products of ten by ten limbs with a constant of the key are made by Karatsuba's identity from
 * three of five by five, squares of twenty limbs from three squares of ten. Sums of halves have a
 * carry of one bit, which is kept as a mask. Karatsuba's columns may be negative, their sum is not;
 * to keep that so where columns are cut off, 2^1556 - fold is added to T, which is 0 mod p.
 */
#ifndef DKIM_RSA_LANES_20_H
#define DKIM_RSA_LANES_20_H

#include "dkim/rsa_lanes.h"

#define FOLD_LIMB (RSA_FOLD_BITS / RSA_LIMB_BITS)
#define FOLD_SHIFT (RSA_FOLD_BITS % RSA_LIMB_BITS)

/* What the two reductions need of one prime, besides the prime. */
struct lane_halves {
	const lane8 *p;
	const lane8 *extra; /* RSA_EXTRA_* */
};

/* r = x + y of k limbs; the carry as a mask. */
LANES_INLINE lane8 add_halves(lane8 *r, const lane8 *x, const lane8 *y, const u32 k)
{
	lane8 carry = lane_all(0);

	UNROLL for (u32 j = 0; j < k; j++)
	{
		lane8 limb = x[j] + y[j] + carry;

		r[j] = limb & lane_all(RSA_LIMB_MASK);
		carry = limb >> RSA_LIMB_BITS;
	}
	return lane_all(0) - carry;
}

LANES_INLINE void clear(lane8 *t, const u32 count)
{
	UNROLL for (u32 j = 0; j < count; j++)
		t[j] = lane_all(0);
}

/* t += x * y of k limbs. */
LANES_INLINE void add_product(lane8 *t, const lane8 *x, const lane8 *y, const u32 k)
{
	UNROLL for (u32 i = 0; i < k; i++)
	{
		lane8 by = x[i];

		UNROLL for (u32 j = 0; j < k; j++)
		{
			t[i + j] = lane_low(t[i + j], y[j], by);
			t[i + j + 1] = lane_high(t[i + j + 1], y[j], by);
		}
	}
}

/* A number of ten limbs, the sum of its halves, and that sum's carry. */
struct lane_split {
	const lane8 *limbs;
	const lane8 *sum;
	lane8 carry;
};

/*
 * out = base + x * y in 20 columns; the carries of the sums count for the other sum, five limbs
 * higher. Columns are in local arrays throughout: they stay in registers, and nothing has to be
 * written before the next operand, which might be the same memory, is read.
 */
LANES_INLINE void add_product_10(lane8 *out, const lane8 *base, const struct lane_split *x,
				 const struct lane_split *y)
{
	lane8 low[10], high[10], middle[10];

	clear(low, 10);
	clear(high, 10);
	clear(middle, 10);
	add_product(low, x->limbs, y->limbs, 5);
	add_product(high, x->limbs + 5, y->limbs + 5, 5);
	add_product(middle, x->sum, y->sum, 5);
	UNROLL for (u32 j = 0; j < 5; j++)
	{
		lane8 between = low[5 + j] - high[j];
		lane8 carried = (y->sum[j] & x->carry) + (x->sum[j] & y->carry);

		out[j] = base[j] + low[j];
		out[5 + j] = base[5 + j] + middle[j] - low[j] + between;
		out[10 + j] = base[10 + j] + middle[5 + j] - high[5 + j] - between + carried;
		out[15 + j] = base[15 + j] + high[5 + j];
	}
	out[15] -= x->carry & y->carry; /* minus all ones is plus one */
}

/* Ten limbs at `from`, split; `sum` is memory for its sum. */
LANES_INLINE struct lane_split split(const lane8 *from, lane8 *sum)
{
	lane8 carry = add_halves(sum, from, from + 5, 5);

	return (struct lane_split){ from, sum, carry };
}

/* From above: D of t goes into columns 0..29. */
LANES_INLINE void fold_top(lane8 *t, const lane8 *extra)
{
	const struct lane_split low = { extra + RSA_EXTRA_FOLD, extra + RSA_EXTRA_FOLD_SUMS,
					extra[RSA_EXTRA_FOLD_CARRIES] };
	const struct lane_split high = { extra + RSA_EXTRA_FOLD + 10,
					 extra + RSA_EXTRA_FOLD_SUMS + 5,
					 extra[RSA_EXTRA_FOLD_CARRIES + 1] };
	const u32 up = RSA_LIMB_BITS - FOLD_SHIFT;
	lane8 d[10], sum[5], base[30], below[20], above[20];
	struct lane_split top;
	lane8 carry = (lane8)((lane8_signed)t[FOLD_LIMB] >> FOLD_SHIFT);

	t[FOLD_LIMB] = (t[FOLD_LIMB] & lane_all((1ull << FOLD_SHIFT) - 1)) +
		       lane_all(1ull << FOLD_SHIFT);
	UNROLL for (u32 j = 0; j < 10; j++)
	{
		lane8 limb = (t[30 + j] << up) + carry;

		d[j] = limb & lane_all(RSA_LIMB_MASK);
		carry = (lane8)((lane8_signed)limb >> RSA_LIMB_BITS);
	}
	UNROLL for (u32 j = 0; j < 30; j++)
		base[j] = j < 20 ? t[j] - extra[RSA_EXTRA_FOLD + j] : t[j];
	top = split(d, sum);
	add_product_10(below, base, &top, &low);
	UNROLL for (u32 j = 0; j < 10; j++)
	{
		t[j] = below[j];
		base[10 + j] = below[10 + j];
	}
	add_product_10(above, base + 10, &top, &high);
	UNROLL for (u32 j = 0; j < 20; j++)
		t[10 + j] = above[j];
}

/*
 * q of the ten limbs at t. What T + q * p carries out of columns 0..9, which become zero, is told
 * by column 9 alone: what is missing below it is less than 22, and the whole is a multiple of 2^52.
 */
LANES_INLINE lane8 quotient(lane8 *q, const lane8 *t, const lane8 *p, const lane8 *inverse)
{
	lane8 low[10], high[10];
	lane8 carry[4] = { t[9] + lane_all(64), lane_all(0), lane_all(0), lane_all(0) };

	clear(low, 10);
	clear(high, 10);
	UNROLL for (u32 i = 0; i < 10; i++)
	{
		lane8 by = t[i];

		UNROLL for (u32 j = 0; i + j < 10; j++)
		{
			low[i + j] = lane_low(low[i + j], inverse[j], by);
			if (i + j < 9)
				high[i + j + 1] = lane_high(high[i + j + 1], inverse[j], by);
		}
	}
	UNROLL for (u32 j = 0; j < 10; j++)
		low[j] += high[j];
	carry_registers(q, low, 10);
	UNROLL for (u32 i = 0; i < 10; i++)
	{
		carry[i % 2] = lane_low(carry[i % 2], q[i], p[9 - i]);
		if (i < 9)
			carry[2 + i % 2] = lane_high(carry[2 + i % 2], q[i], p[8 - i]);
	}
	return (carry[0] + carry[1] + carry[2] + carry[3]) >> RSA_LIMB_BITS;
}

/* From below: columns 0..9 of t go, r is what is left. */
LANES_INLINE void divide_bottom(lane8 *r, lane8 *t, const struct lane_halves *m)
{
	const lane8 *p = m->p;
	const struct lane_split p_high = { p + 10, m->extra + RSA_EXTRA_P_SUM,
					   m->extra[RSA_EXTRA_P_CARRY] };
	lane8 low[10], q[10], sum[5], above[20], out[20];
	struct lane_split q_split;

	t[10] += carry_signed(low, t, 10);
	t[10] += quotient(q, low, p, m->extra + RSA_EXTRA_INVERSE);
	q_split = split(q, sum);
	UNROLL for (u32 j = 0; j < 20; j++)
		above[j] = t[10 + j];
	UNROLL for (u32 i = 0; i < 10; i++)
	{
		lane8 by = q[i];

		UNROLL for (u32 j = 9 - i; j < 10; j++)
		{
			if (i + j >= 10)
				above[i + j - 10] = lane_low(above[i + j - 10], p[j], by);
			above[i + j - 9] = lane_high(above[i + j - 9], p[j], by);
		}
	}
	add_product_10(out, above, &q_split, &p_high);
	carry_signed(r, out, 20);
}

/* The columns of (a0 + a1 X)(b0 + b1 X) of its three products; `carried`: of the sums' carries. */
LANES_INLINE void join_halves(lane8 *t, const lane8 *low, const lane8 *high, const lane8 *middle,
			      const lane8 *carried)
{
	UNROLL for (u32 j = 0; j < 10; j++)
	{
		lane8 between = low[10 + j] - high[j];

		t[j] = low[j];
		t[10 + j] = middle[j] - low[j] + between;
		t[20 + j] = middle[10 + j] - high[10 + j] - between + carried[j];
		t[30 + j] = high[10 + j];
	}
}

LANES_CODE __attribute__((noinline)) void halves_square(lane8 *r, const lane8 *a,
							const struct lane_halves *m)
{
	lane8 t[40], low[20], high[20], middle[20], sum[10], carried[10];
	lane8 carry;

	square_columns(low, a, 10);
	square_columns(high, a + 10, 10);
	carry = add_halves(sum, a, a + 10, 10);
	square_columns(middle, sum, 10);
	UNROLL for (u32 j = 0; j < 10; j++)
		carried[j] = (sum[j] + sum[j]) & carry;
	join_halves(t, low, high, middle, carried);
	t[30] -= carry;
	fold_top(t, m->extra);
	divide_bottom(r, t, m);
}

LANES_CODE __attribute__((noinline)) void halves_multiply(lane8 *r, const lane8 *a, const lane8 *b,
							  const struct lane_halves *m)
{
	lane8 t[40], low[20], high[20], middle[20], a_sum[10], b_sum[10], carried[10];
	lane8 a_carry = add_halves(a_sum, a, a + 10, 10);
	lane8 b_carry = add_halves(b_sum, b, b + 10, 10);

	clear(low, 20);
	clear(high, 20);
	clear(middle, 20);
	add_product(low, a, b, 10);
	add_product(high, a + 10, b + 10, 10);
	add_product(middle, a_sum, b_sum, 10);
	UNROLL for (u32 j = 0; j < 10; j++)
		carried[j] = (a_sum[j] & b_carry) + (b_sum[j] & a_carry);
	join_halves(t, low, high, middle, carried);
	t[30] -= a_carry & b_carry;
	fold_top(t, m->extra);
	divide_bottom(r, t, m);
}

#endif
