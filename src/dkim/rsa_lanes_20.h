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
 *
 * Between its products a step waits for carries, one limb after the other. The powers of both
 * primes are therefore made side by side, a step of one behind a step of the other.
 */
#ifndef DKIM_RSA_LANES_20_H
#define DKIM_RSA_LANES_20_H

#include "dkim/rsa_lanes.h"

#define FOLD_LIMB (RSA_FOLD_BITS / RSA_LIMB_BITS)
#define FOLD_SHIFT (RSA_FOLD_BITS % RSA_LIMB_BITS)

/* A product on its way back to 20 limbs. */
struct lane_step {
	const lane8 *p;     /* the prime, */
	const lane8 *extra; /* and RSA_EXTRA_* of it */
	lane8 t[40];        /* columns */
	lane8 digit[10];    /* D, later q, */
	lane8 sum[5];       /* the sum of its halves, */
	lane8 carry;        /* and the carry of that */
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

/* ---- the steps of a product, in their order ---- */

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

LANES_STEP void square_20_columns(struct lane_step *s, const lane8 *a)
{
	lane8 low[20], high[20], middle[20], sum[10], carried[10];
	lane8 carry = add_halves(sum, a, a + 10, 10);

	square_columns(low, a, 10);
	square_columns(high, a + 10, 10);
	square_columns(middle, sum, 10);
	UNROLL for (u32 j = 0; j < 10; j++)
		carried[j] = (sum[j] + sum[j]) & carry;
	join_halves(s->t, low, high, middle, carried);
	s->t[30] -= carry;
}

LANES_STEP void multiply_20_columns(struct lane_step *s, const lane8 *a, const lane8 *b)
{
	lane8 low[20], high[20], middle[20], a_sum[10], b_sum[10], carried[10];
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
	join_halves(s->t, low, high, middle, carried);
	s->t[30] -= a_carry & b_carry;
}

/* The ten limbs of s->digit, split. */
LANES_INLINE struct lane_split digit_split(const struct lane_step *s)
{
	return (struct lane_split){ s->digit, s->sum, s->carry };
}

/* D, cut off t. */
LANES_STEP void take_top(struct lane_step *s)
{
	const u32 up = RSA_LIMB_BITS - FOLD_SHIFT;
	lane8 *t = s->t;
	lane8 carry = (lane8)((lane8_signed)t[FOLD_LIMB] >> FOLD_SHIFT);

	t[FOLD_LIMB] = (t[FOLD_LIMB] & lane_all((1ull << FOLD_SHIFT) - 1)) +
		       lane_all(1ull << FOLD_SHIFT);
	UNROLL for (u32 j = 0; j < 10; j++)
	{
		lane8 limb = (t[30 + j] << up) + carry;

		s->digit[j] = limb & lane_all(RSA_LIMB_MASK);
		carry = (lane8)((lane8_signed)limb >> RSA_LIMB_BITS);
	}
	s->carry = add_halves(s->sum, s->digit, s->digit + 5, 5);
}

/* D * fold goes into columns 0..29. */
LANES_STEP void fold_top(struct lane_step *s)
{
	const lane8 *extra = s->extra;
	const struct lane_split low = { extra + RSA_EXTRA_FOLD, extra + RSA_EXTRA_FOLD_SUMS,
					extra[RSA_EXTRA_FOLD_CARRIES] };
	const struct lane_split high = { extra + RSA_EXTRA_FOLD + 10,
					 extra + RSA_EXTRA_FOLD_SUMS + 5,
					 extra[RSA_EXTRA_FOLD_CARRIES + 1] };
	const struct lane_split top = digit_split(s);
	lane8 base[30], below[20], above[20];
	lane8 *t = s->t;

	UNROLL for (u32 j = 0; j < 30; j++)
		base[j] = j < 20 ? t[j] - extra[RSA_EXTRA_FOLD + j] : t[j];
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

LANES_STEP void carry_bottom(struct lane_step *s)
{
	s->t[10] += carry_signed(s->t, s->t, 10);
}

/* q, carries not taken. */
LANES_STEP void multiply_bottom(struct lane_step *s)
{
	const lane8 *inverse = s->extra + RSA_EXTRA_INVERSE;
	lane8 low[10], high[10];

	clear(low, 10);
	clear(high, 10);
	UNROLL for (u32 i = 0; i < 10; i++)
	{
		lane8 by = s->t[i];

		UNROLL for (u32 j = 0; i + j < 10; j++)
		{
			low[i + j] = lane_low(low[i + j], inverse[j], by);
			if (i + j < 9)
				high[i + j + 1] = lane_high(high[i + j + 1], inverse[j], by);
		}
	}
	UNROLL for (u32 j = 0; j < 10; j++)
		s->digit[j] = low[j] + high[j];
}

/*
 * q, and what T + q * p carries out of columns 0..9, which become zero: that is told by column 9
 * alone, for what is missing below it is less than 22, and the whole is a multiple of 2^52.
 */
LANES_STEP void carry_quotient(struct lane_step *s)
{
	const lane8 *p = s->p;
	lane8 *q = s->digit;
	lane8 carry[4] = { s->t[9] + lane_all(64), lane_all(0), lane_all(0), lane_all(0) };

	carry_registers(q, q, 10);
	s->carry = add_halves(s->sum, q, q + 5, 5);
	UNROLL for (u32 i = 0; i < 10; i++)
	{
		carry[i % 2] = lane_low(carry[i % 2], q[i], p[9 - i]);
		if (i < 9)
			carry[2 + i % 2] = lane_high(carry[2 + i % 2], q[i], p[8 - i]);
	}
	s->t[10] += (carry[0] + carry[1] + carry[2] + carry[3]) >> RSA_LIMB_BITS;
}

/* (T + q * p) / X, in columns 10..29. */
LANES_STEP void divide_bottom(struct lane_step *s)
{
	const lane8 *p = s->p;
	const lane8 *q = s->digit;
	const struct lane_split p_high = { p + 10, s->extra + RSA_EXTRA_P_SUM,
					   s->extra[RSA_EXTRA_P_CARRY] };
	const struct lane_split q_split = digit_split(s);
	lane8 above[20], out[20];

	UNROLL for (u32 j = 0; j < 20; j++)
		above[j] = s->t[10 + j];
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
	UNROLL for (u32 j = 0; j < 20; j++)
		s->t[10 + j] = out[j];
}

LANES_STEP void take_result(lane8 *r, const struct lane_step *s)
{
	carry_signed(r, s->t + 10, 20);
}

/* ---- two products at once ---- */

/*
 * Of two numbers that have nothing to do with each other the processor works on one's products
 * while it waits for the other's carries: each short chain of carries stands in front of many
 * products of the other number. `a` is in front: its columns are made and its top is taken.
 */
LANES_INLINE void bring_back(lane8 *ra, lane8 *rb, struct lane_step *a, struct lane_step *b)
{
	take_top(b);
	fold_top(a);
	carry_bottom(a);
	fold_top(b);
	carry_bottom(b);
	multiply_bottom(a);
	carry_quotient(a);
	multiply_bottom(b);
	carry_quotient(b);
	divide_bottom(a);
	take_result(ra, a);
	divide_bottom(b);
	take_result(rb, b);
}

/* r = a * a / X of both. */
LANES_CODE void square_both(lane8 *const r[2], const lane8 *const a[2], struct lane_step steps[2])
{
	square_20_columns(&steps[0], a[0]);
	take_top(&steps[0]);
	square_20_columns(&steps[1], a[1]);
	bring_back(r[0], r[1], &steps[0], &steps[1]);
}

/* r = a * b / X of both. */
LANES_CODE void multiply_both(lane8 *const r[2], const lane8 *const a[2], const lane8 *const b[2],
			      struct lane_step steps[2])
{
	multiply_20_columns(&steps[0], a[0], b[0]);
	take_top(&steps[0]);
	multiply_20_columns(&steps[1], a[1], b[1]);
	bring_back(r[0], r[1], &steps[0], &steps[1]);
}

#endif
