/*
 * RSA private-key operations, eight at a time: each 64-bit lane of a vector holds one number's limb
 * of 52 bits (radix 2^52), so that all eight numbers are worked on by the same instructions. This
 * header is between rsa_batch.c, which knows keys, padding and bytes, and the arithmetic, which is
 * written once (rsa_lanes_kernel.h) and compiled twice: for AVX-512 IFMA, and in portable C, slow,
 * by which every machine, sanitizer and memory checker can test it.
 *
 * Numbers here are vectors of limbs, lowest first, each limb below 2^52. k is the limbs of a prime,
 * 2k those of the modulus. Nothing here branches on, or reads memory at, anything but k and bits.
 */
#ifndef DKIM_RSA_LANES_H
#define DKIM_RSA_LANES_H

#include "base/types.h"

#define RSA_LANES 8
#define RSA_LIMB_BITS 52
#define RSA_LIMB_MASK ((1ULL << RSA_LIMB_BITS) - 1)
#define RSA_K_MAX 40 /* 4096 bits */
#define RSA_SPARE_BITS 4 /* a prime is at least so much shorter than its k limbs */
#define RSA_WINDOW_BITS 4

/* Aligned by name: without AVX-512 in its options a compiler would align vectors to 16 bytes. */
typedef u64 lane8 __attribute__((vector_size(64), aligned(64)));

/*
 * A key as the arithmetic wants it: words of 64 bits, one number after the other. R is 2^52k, and
 * 2^104k for the modulus. A half is what belongs to one prime. Its powers are computed with numbers
 * that stand for themselves times F: F is R, but 2^520 for 20 limbs (rsa_lanes_20.h).
 */
#define RSA_HALF_MODULUS(k) 0            /* k limbs: the prime */
#define RSA_HALF_ONE(k) (k)              /* k: F mod prime */
#define RSA_HALF_INTO(k) (2 * (k))       /* k: R^2 F mod prime */
#define RSA_HALF_OUT(k) (3 * (k))        /* k: R / F mod prime */
#define RSA_HALF_EXPONENT(k) (4 * (k))   /* k + 1: d mod prime - 1, and a zero */
#define RSA_HALF_FACTOR(k) (5 * (k) + 1) /* 1: -1/prime mod 2^52 */
#define RSA_HALF_EXTRA(k) (5 * (k) + 2)  /* for 20 limbs */
#define RSA_HALF_WORDS(k) (RSA_HALF_EXTRA(k) + ((k) == 20 ? RSA_EXTRA_WORDS : 0))

#define RSA_FOLD_BITS 1556
#define RSA_EXTRA_FOLD 0          /* 20 limbs: 2^1556 mod prime */
#define RSA_EXTRA_FOLD_SUMS 20    /* 5 and 5: the sums of its halves' halves ... */
#define RSA_EXTRA_FOLD_CARRIES 30 /* 1 and 1: ... and their carries, all ones or zero */
#define RSA_EXTRA_INVERSE 32      /* 10: -1/prime mod 2^520 */
#define RSA_EXTRA_P_SUM 42        /* 5: the sum of the halves of the prime's upper half */
#define RSA_EXTRA_P_CARRY 47      /* 1 */
#define RSA_EXTRA_WORDS 48

#define RSA_KEY_P(k) 0
#define RSA_KEY_Q(k) RSA_HALF_WORDS(k)
#define RSA_KEY_QINV(k) (2 * RSA_HALF_WORDS(k))		/* k: R / q mod p */
#define RSA_KEY_MODULUS(k) (RSA_KEY_QINV(k) + (k))	/* 2k: n */
#define RSA_KEY_R2(k) (RSA_KEY_MODULUS(k) + 2 * (k))	/* 2k: R^2 mod n */
#define RSA_KEY_FACTOR(k) (RSA_KEY_R2(k) + 2 * (k))	/* 1: -1/n mod 2^52 */
#define RSA_KEY_WORDS(k) (RSA_KEY_FACTOR(k) + 1)

/* A prepared key (rsa_batch.h). */
struct rsa_batch_key {
	u32 k;
	u32 prime_bits;
	u32 modulus_size;
	u64 words[]; /* RSA_KEY_WORDS(k) */
};

struct rsa_lanes {
	u32 k;		/* 10, 20, 30 or 40 */
	u32 prime_bits; /* of the longest prime in any lane; at most 52k - RSA_SPARE_BITS */
	lane8 key[RSA_KEY_WORDS(RSA_K_MAX)];
	lane8 message[2 * RSA_K_MAX];	/* the padded digests, below the modulus */
	lane8 signature[2 * RSA_K_MAX]; /* the result */

	/* The arithmetic's own. */
	lane8 table[2][RSA_K_MAX << RSA_WINDOW_BITS]; /* of both primes, like the following */
	lane8 base[2][RSA_K_MAX];
	lane8 entry[2][RSA_K_MAX];
	lane8 half[2][RSA_K_MAX];
	lane8 wide[4 * RSA_K_MAX];
	lane8 number[2 * RSA_K_MAX];
};

/*
 * message^d mod n in each lane by the Chinese remainder theorem, then signature^65537 compared with
 * message: a fault of the processor in one half would otherwise give the primes away. Returns a bit
 * for each lane that agrees.
 */
u32 rsa_lanes_sign_ifma(struct rsa_lanes *lanes); /* only if rsa_lanes_have_ifma() */
u32 rsa_lanes_sign_portable(struct rsa_lanes *lanes);
bool rsa_lanes_have_ifma(void);

#endif
