/*
 * Time and secrets of the simulated sender: base/clock.h over the world's clock; random_bytes and the
 * boot id that the journal asks for are taken over at the link (--wrap).
 */
#include "sim.h"

#define DAY_MS (86400ll * 1000)
#define JUMP_STEPS 20000

u64 sim_mono_ns(void)
{
	return world->mono_ns - world->boot_ns;
}

u64 clock_mono_ns(void)
{
	sim_step();
	return sim_mono_ns();
}

static i64 wall_ms(void)
{
	const i64 true_ms = (i64)(world->mono_ns / NS_PER_MS);

	return true_ms + true_ms / 1000 * world->drift_ppm / 1000 + world->wall_offset_ms;
}

u64 clock_wall_ms(void)
{
	return wall_ms() > 0 ? (u64)wall_ms() : 0;
}

static void set_wall(i64 to_ms)
{
	world->wall_offset_ms += to_ms - wall_ms();
	sim_trace("clock", clock_wall_ms(), 0);
}

static i64 right_wall(void)
{
	return (i64)(world->mono_ns / NS_PER_MS) + SIM_START_WALL_MS;
}

void clock_sim_jump(void)
{
	static const i64 small[] = { 1, 400, 1001, 61 * 1000, 600 * 1000 };
	static const i64 large[] = { 3600 * 1000, 7200 * 1000, DAY_MS, 30 * DAY_MS, 365 * DAY_MS,
				     30 * 365 * DAY_MS };
	/* Right after 1970, 2038, 2106; 2200. */
	static const i64 moments[] = { 0, 2147483648000ll, 4294967296000ll, 7258118400000ll };
	const i64 way = sim_below(2) ? 1 : -1;

	world->jump_steps_left = 1 + sim_below(JUMP_STEPS);
	switch (sim_below(4)) {
	case 0:
		set_wall(wall_ms() + way * small[sim_below(array_count(small))]);
		break;
	case 1:
		set_wall(wall_ms() + way * large[sim_below(array_count(large))]);
		break;
	case 2:
		set_wall(moments[sim_below(array_count(moments))] + (i64)sim_below(5000) - 1000);
		break;
	default:
		set_wall(right_wall());
	}
}

/*
 * To the very moment at which a row that was lent becomes due when it was due already, once recovery has
 * found it in doubt: its new key is the old one.
 */
static bool repeat_a_due_time(void)
{
	const u32 first = (u32)sim_below(world->recipient_count);

	for (u32 i = 0; i < world->recipient_count; i++) {
		const u64 due = world->recipients[(first + i) % world->recipient_count].lent_wall_ms;

		if (due == 0)
			continue;
		set_wall((i64)(due - world->in_doubt_delay_ms));
		return true;
	}
	return false;
}

void clock_sim_reboot(void)
{
	world->boot_ns = world->mono_ns - sim_below(60 * NS_PER_S);
	world->alive_ns -= (i64)SIM_NOTE_NS;
	if (world->clock_trouble && (sim_below(4) == 0 || !repeat_a_due_time()))
		clock_sim_jump();
	for (u32 i = 0; i < world->recipient_count; i++)
		world->recipients[i].put_due_ms = 0;
}

i64 sim_alive_ns(void)
{
	return world->alive_ns + (i64)(world->mono_ns - world->life_ns);
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
