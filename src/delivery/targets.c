#include "delivery/targets.h"

#include "base/check.h"
#include "base/clock.h"

#include <string.h>

#define DOWN_FIRST_NS (10 * NS_PER_S)
#define DOWN_MAX_NS (600 * NS_PER_S)
#define USELESS_MAX 3

void targets_init(struct targets *targets, u32 first)
{
	*targets = (struct targets){ .next_host = first };
}

void targets_done(struct targets *targets)
{
	path_give(targets->path);
	targets->path = NULL;
}

/* Where the path lists the address, at `from` or after; -1: nowhere. */
static i32 find_from(const struct targets *targets, const struct net_address *address, u32 from)
{
	for (u32 i = from; targets->path && i < targets->path->target_count; i++) {
		if (net_address_same_host(&targets->path->targets[i].address, address))
			return (i32)i;
	}
	return -1;
}

i32 targets_find(const struct targets *targets, const struct net_address *address)
{
	return find_from(targets, address, 0);
}

static struct target_state *state_from(struct targets *targets, const struct net_address *address,
				       u32 from)
{
	i32 at = find_from(targets, address, from);

	return at < 0 ? NULL : &targets->states[at];
}

/* A path may list an address twice: what is known of it stands in each state. */
#define for_each_state(state, targets, address)                                                    \
	for (struct target_state *state = state_from(targets, address, 0); state;                  \
	     state = state_from(targets, address, (u32)(state - (targets)->states) + 1))

void targets_take(struct targets *targets, struct path *path)
{
	struct target_state known[PATH_TARGETS_MAX] = { 0 };

	if (targets->path == path)
		return;
	for (u32 i = 0; i < path->target_count; i++) {
		i32 at = targets_find(targets, &path->targets[i].address);

		if (at >= 0)
			known[i] = targets->states[at];
	}
	memcpy(targets->states, known, sizeof(known));
	path_give(targets->path);
	targets->path = path_take(path);
}

bool targets_is_up(const struct targets *targets, u32 target, u64 now_ns)
{
	return targets->states[target].down_until_ns <= now_ns;
}

/* A host that failed is not waited for by more than one session at once. */
static bool is_free(const struct targets *targets, u32 target, u64 now_ns)
{
	return targets_is_up(targets, target, now_ns) &&
	       (targets->states[target].failures == 0 || targets->states[target].trying == 0);
}

static i32 choose_address(struct targets *targets, u32 host, u16 preference, u64 now_ns)
{
	const struct path *path = targets->path;
	i32 best = -1;

	for (u32 i = 0; i < path->target_count; i++) {
		u32 at = (targets->next_address[host] + i) % path->target_count;
		const struct path_target *target = &path->targets[at];

		if (target->host != host || target->preference != preference ||
		    !is_free(targets, at, now_ns))
			continue;
		if (best < 0 || target->address.family > path->targets[best].address.family)
			best = (i32)at;
	}
	if (best >= 0)
		targets->next_address[host] = (u8)(best + 1);
	return best;
}

i32 targets_choose(struct targets *targets, u64 now_ns)
{
	const struct path *path = targets->path;
	u32 preference = UINT32_MAX;

	for (u32 i = 0; i < path->target_count; i++) {
		if (path->targets[i].preference < preference && is_free(targets, i, now_ns))
			preference = path->targets[i].preference;
	}
	for (u32 i = 0; preference != UINT32_MAX && i < path->host_count; i++) {
		u32 host = (targets->next_host % path->host_count + i) % path->host_count;
		i32 at = choose_address(targets, host, (u16)preference, now_ns);

		if (at < 0)
			continue;
		targets->next_host = host + 1;
		return at;
	}
	return -1;
}

bool targets_try(struct targets *targets, u32 target)
{
	const struct net_address *address = &targets->path->targets[target].address;

	if (targets->states[target].failures == 0)
		return false;
	for_each_state(state, targets, address)
		state->trying++;
	return true;
}

void targets_tried(struct targets *targets, const struct net_address *address)
{
	for_each_state(state, targets, address) {
		if (state->trying > 0)
			state->trying--;
	}
}

static void set_down(struct target_state *state, u64 now_ns, struct random *random)
{
	u64 wait = DOWN_FIRST_NS << min_u32(state->failures, 6);

	if (state->down_until_ns > now_ns)
		return;
	if (state->failures < 255)
		state->failures++;
	state->down_until_ns = now_ns + random_jitter(random, min_u64(wait, DOWN_MAX_NS), 20);
}

void targets_failed(struct targets *targets, const struct net_address *address, u64 now_ns,
		    struct random *random)
{
	for_each_state(state, targets, address)
		set_down(state, now_ns, random);
}

void targets_worked(struct targets *targets, const struct net_address *address)
{
	for_each_state(state, targets, address) {
		state->down_until_ns = 0;
		if (state->useless == 0)
			state->failures = 0;
	}
}

bool targets_useless(struct targets *targets, const struct net_address *address)
{
	bool enough = false;

	for_each_state(state, targets, address) {
		if (state->useless < USELESS_MAX)
			state->useless++;
		enough = state->useless == USELESS_MAX;
	}
	return enough;
}

void targets_useful(struct targets *targets, const struct net_address *address)
{
	for_each_state(state, targets, address) {
		state->useless = 0;
		state->failures = 0;
	}
}

void targets_no_tls(struct targets *targets, const struct net_address *address)
{
	for_each_state(state, targets, address)
		state->no_tls = true;
}

void targets_no_kernel(struct targets *targets, const struct net_address *address)
{
	for_each_state(state, targets, address)
		state->no_kernel = true;
}
