#include "io/timer.h"

#include "base/clock.h"

#define SLOT_BITS 8
#define SLOT_MASK (TIMER_SLOTS - 1)
/* Ticks of one slot of the highest level, and of a lap of all its slots. */
#define SLOT_TICKS (1ull << (TIMER_LEVELS - 1) * SLOT_BITS)
#define LAP (SLOT_TICKS * TIMER_SLOTS)

void timer_wheel_init(struct timer_wheel *wheel, u64 now_ns)
{
	*wheel = (struct timer_wheel){ .started_ns = now_ns };
	for (u32 level = 0; level < TIMER_LEVELS; level++) {
		for (u32 slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
	*timer = (struct timer){ .fire = fire };
	list_init(&timer->node);
}

bool timer_is_running(const struct timer *timer)
{
	return list_is_linked(&timer->node);
}

/* The level is the highest digit (base 256) in which the due tick differs from now. */
static void place(struct timer_wheel *wheel, struct timer *timer)
{
	u64 differs = timer->tick ^ wheel->now_tick;
	u32 level = differs ? (63 - (u32)__builtin_clzll(differs)) / SLOT_BITS : 0;
	u32 slot;

	if (level >= TIMER_LEVELS) {
		/*
		 * Due on the next lap of the highest level: there it has its slot, too. Beyond that
		 * lap: the farthest slot, from where it is placed again.
		 */
		level = TIMER_LEVELS - 1;
		slot = (u32)(min_u64(timer->tick, wheel->now_tick + LAP - SLOT_TICKS) >>
			     (level * SLOT_BITS)) & SLOT_MASK;
	} else {
		slot = (u32)(timer->tick >> (level * SLOT_BITS)) & SLOT_MASK;
	}
	list_push_back(&wheel->slots[level][slot], &timer->node);
	wheel->occupied[level][slot / 64] |= 1ull << (slot % 64);
}

void timer_start(struct timer_wheel *wheel, struct timer *timer, u64 at_ns)
{
	u64 after = at_ns > wheel->started_ns ? at_ns - wheel->started_ns : 0;
	/*
	 * Rounded up: never early. The current tick has fired already, so the next is the earliest.
	 */
	u64 tick = after / NS_PER_MS + (after % NS_PER_MS != 0);

	timer_stop(wheel, timer);
	timer->tick = max_u64(tick, wheel->now_tick + 1);
	place(wheel, timer);
	wheel->running++;
}

static void unlink_timer(struct timer_wheel *wheel, struct timer *timer)
{
	list_unlink(&timer->node);
	wheel->running--;
}

void timer_stop(struct timer_wheel *wheel, struct timer *timer)
{
	/*
	 * The slot's bit may stay set; timer_wheel_advance clears it when it finds the slot empty.
	 */
	if (timer_is_running(timer))
		unlink_timer(wheel, timer);
}

/* First occupied slot at or behind `from` within the level; TIMER_SLOTS when there is none. */
static u32 next_occupied(const struct timer_wheel *wheel, u32 level, u32 from)
{
	for (u32 word = from / 64; word < TIMER_SLOTS / 64; word++) {
		u64 bits = wheel->occupied[level][word];

		if (word == from / 64)
			bits &= ~0ull << (from % 64);
		if (bits)
			return word * 64 + (u32)__builtin_ctzll(bits);
	}
	return TIMER_SLOTS;
}

static void take_slot(struct timer_wheel *wheel, u32 level, u32 slot, struct list *out)
{
	struct list *head = &wheel->slots[level][slot];

	list_init(out);
	if (!list_is_empty(head)) {
		out->next = head->next;
		out->prev = head->prev;
		out->next->prev = out;
		out->prev->next = out;
		list_init(head);
	}
	wheel->occupied[level][slot / 64] &= ~(1ull << (slot % 64));
}

/* Entering a new slot of a higher level spreads its timers over the levels below. */
static void cascade(struct timer_wheel *wheel)
{
	for (u32 level = 1; level < TIMER_LEVELS; level++) {
		u32 slot = (u32)(wheel->now_tick >> (level * SLOT_BITS)) & SLOT_MASK;
		struct list taken;
		struct list *node;

		take_slot(wheel, level, slot, &taken);
		while ((node = list_pop_front(&taken)))
			place(wheel, list_entry(node, struct timer, node));
		if (slot != 0)
			break;
	}
}

static void fire_current(struct timer_wheel *wheel)
{
	struct list due;
	struct list *node;

	take_slot(wheel, 0, (u32)wheel->now_tick & SLOT_MASK, &due);
	while ((node = list_pop_front(&due))) {
		struct timer *timer = list_entry(node, struct timer, node);

		wheel->running--;
		timer->fire(timer);
	}
}

void timer_wheel_advance(struct timer_wheel *wheel, u64 now_ns)
{
	u64 target = now_ns > wheel->started_ns ? (now_ns - wheel->started_ns) / NS_PER_MS : 0;

	while (wheel->now_tick < target) {
		u32 at = (u32)wheel->now_tick & SLOT_MASK;
		u32 next = at + 1 < TIMER_SLOTS ? next_occupied(wheel, 0, at + 1) : TIMER_SLOTS;
		u64 step = next - at;

		if (wheel->now_tick + step > target)
			step = target - wheel->now_tick;
		wheel->now_tick += step;
		if ((wheel->now_tick & SLOT_MASK) == 0)
			cascade(wheel);
		fire_current(wheel);
	}
}

u64 timer_wheel_next(const struct timer_wheel *wheel)
{
	u32 at = (u32)wheel->now_tick & SLOT_MASK;
	u32 next = at + 1 < TIMER_SLOTS ? next_occupied(wheel, 0, at + 1) : TIMER_SLOTS;

	if (wheel->running == 0)
		return UINT64_MAX;
	/*
	 * Nothing on this lap of the lowest level: wake at its end, where the next level spreads.
	 */
	return wheel->started_ns + (wheel->now_tick + (next - at)) * NS_PER_MS;
}
