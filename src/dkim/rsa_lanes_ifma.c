/* Eight lanes of AVX-512 IFMA: one instruction makes eight products of 52 bits. */
#include "dkim/rsa_lanes.h"

#include <immintrin.h>

#define LANES_TARGET __attribute__((target("avx512f,avx512ifma")))
#define LANES_CODE static LANES_TARGET
#define lane_low(t, a, b)                                                                          \
	((lane8)_mm512_madd52lo_epu64((__m512i)(t), (__m512i)(a), (__m512i)(b)))
#define lane_high(t, a, b)                                                                         \
	((lane8)_mm512_madd52hi_epu64((__m512i)(t), (__m512i)(a), (__m512i)(b)))
/* Sanitizers' builds do not optimize this file: they would need minutes (Makefile). */
#ifdef __OPTIMIZE__
#define UNROLL _Pragma("GCC unroll 41")
#else
#define UNROLL
#endif

#include "dkim/rsa_lanes_kernel.h"

LANES_TARGET u32 rsa_lanes_sign_ifma(struct rsa_lanes *lanes)
{
	return sign_lanes(lanes);
}

bool rsa_lanes_have_ifma(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
}
