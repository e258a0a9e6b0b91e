#include "web/identity_wait.h"

#include "base/clock.h"
#include "web/identity.h"

#define TURN_NS (50 * NS_PER_MS)
#define PATIENCE_NS (15 * NS_PER_S) /* browsers and programs wait as long */

static void on_turn(struct timer *timer)
{
	struct identity_wait *wait = container_of(timer, struct identity_wait, timer);
	struct web *web = wait->call->web;
	u64 now_ns = clock_mono_ns();

	if (now_ns < wait->until_ns && !identity_is_done(web->identity, wait->asked)) {
		timer_start(&web->wheel, timer, now_ns + TURN_NS);
		return;
	}
	wait->call->identity_wait = NULL;
	wait->done(wait);
}

void identity_wait_begin(struct identity_wait *wait, struct call *call)
{
	u64 now_ns = clock_mono_ns();

	wait->call = call;
	wait->asked = identity_ask_anew(call->web->identity);
	wait->until_ns = now_ns + PATIENCE_NS;
	timer_init(&wait->timer, on_turn);
	timer_start(&call->web->wheel, &wait->timer, now_ns + TURN_NS);
	call->identity_wait = wait;
}

void identity_wait_drop(struct identity_wait *wait)
{
	timer_stop(&wait->call->web->wheel, &wait->timer);
	wait->call->identity_wait = NULL;
	wait->drop(wait);
}
