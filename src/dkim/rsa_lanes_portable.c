/* The same arithmetic without vector instructions: slow, for tests and for checkers. */
#include "dkim/rsa_lanes.h"

#define LANES_CODE static
#define lane_low(t, a, b) lane_add_product((t), (a), (b), 0)
#define lane_high(t, a, b) lane_add_product((t), (a), (b), RSA_LIMB_BITS)
#define UNROLL

static __attribute__((noinline)) lane8 lane_add_product(lane8 t, lane8 a, lane8 b, u32 shift)
{
	for (u32 i = 0; i < RSA_LANES; i++) {
		unsigned __int128 product = (unsigned __int128)(a[i] & RSA_LIMB_MASK) *
					    (b[i] & RSA_LIMB_MASK);

		t[i] += (u64)(product >> shift) & RSA_LIMB_MASK;
	}
	return t;
}

#include "dkim/rsa_lanes_kernel.h"

u32 rsa_lanes_sign_portable(struct rsa_lanes *lanes)
{
	return sign_lanes(lanes);
}
