/*
 * Time and secrets of the simulated sender: base/clock.h over the world's clock; random_bytes and the
 * boot id that the journal asks for are taken over at the link (--wrap).
 */
#include "sim.h"

u64 clock_mono_ns(void)
{
	sim_step();
	return world->mono_ns;
}

u64 clock_wall_ms(void)
{
	return (u64)((i64)(world->mono_ns / NS_PER_MS) + world->wall_offset_ms);
}

void __wrap_random_bytes(void *out, size_t len);
struct journal *__wrap_journal_open(const char *path, u32 slots, struct error *error);
bool __real_worker_give(struct worker *worker, struct lease *lease);
bool __wrap_worker_give(struct worker *worker, struct lease *lease);
struct lease *__real_worker_take_back(struct worker *worker);
struct lease *__wrap_worker_take_back(struct worker *worker);

void __wrap_random_bytes(void *out, size_t len)
{
	u8 *to = out;

	for (size_t i = 0; i < len; i++)
		to[i] = (u8)sim_below(256);
}

struct journal *__wrap_journal_open(const char *path, u32 slots, struct error *error)
{
	return journal_open_in_boot(path, slots, world->boot, error);
}

bool __wrap_worker_give(struct worker *worker, struct lease *lease)
{
	sim_step();
	life_watch_lease(lease);
	return __real_worker_give(worker, lease);
}

struct lease *__wrap_worker_take_back(struct worker *worker)
{
	struct lease *lease = __real_worker_take_back(worker);

	if (lease)
		life_watch_return(lease);
	return lease;
}
