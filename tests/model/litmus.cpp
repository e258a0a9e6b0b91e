/*
 * The real functions of src/base/spsc.c, src/io/ring.c (ring_wake, and what its ring does with the wake) and
 * src/delivery/path.c under Relacy, which runs threads in many orders and gives loads every value that C11
 * lets them have, and tells of data races, of asserts and of threads that wait for ever.
 *
 * extract (in `run`) takes the functions out of the sources into extracted.h: `_Atomic u32` becomes atomic_u32.
 */
#include <relacy/relacy.hpp>

#include <cstdint>
#include <cstring>
#include <iostream>

typedef uint32_t u32;
typedef uint64_t u64;
typedef rl::atomic<u32> atomic_u32;
typedef rl::semaphore<struct eventfd_tag> eventfd;
using namespace rl;

/* Plain memory whose races are told. */
struct plain {
	rl::var<void *> value;
	void operator=(void *v) { value($) = v; }
	operator void *() { return value($); }
};

typedef rl::debug_info_param where;

static u32 atomic_load_explicit(const atomic_u32 *at, rl::memory_order order, where info)
{
	return at->load(order, info);
}

static void atomic_store_explicit(atomic_u32 *at, u32 value, rl::memory_order order, where info)
{
	at->store(value, order, info);
}

static u32 atomic_fetch_add_explicit(atomic_u32 *at, u32 value, rl::memory_order order, where info)
{
	return at->fetch_add(value, order, info);
}

static u32 atomic_fetch_sub_explicit(atomic_u32 *at, u32 value, rl::memory_order order, where info)
{
	return at->fetch_sub(value, order, info);
}

#define atomic_exchange(at, value) ((at)->exchange(value, rl::mo_seq_cst, $))
#define atomic_store(at, value) ((at)->store(value, rl::mo_seq_cst, $))
#define ASSERT(what) RL_ASSERT(what)
#define CRASH(...) RL_ASSERT(false)

struct spsc {
	plain *items;
	u32 mask;
	atomic_u32 tail;
	u32 head_seen;
	atomic_u32 head;
	u32 tail_seen;
};

struct ring {
	atomic_u32 wake_pending;
	eventfd *wake_fd;
};

/* The eventfd: a write ends one wait. */
static ssize_t model_write(eventfd *fd, const void *, size_t size)
{
	unsigned before;

	fd->post(1, before, $);
	return (ssize_t)size;
}

/* It has a count of its own, in the same shape as a path's: here it has no part. */
struct demand;
static void demand_give(struct demand *) {}

struct path {
	atomic_u32 references;
	struct demand *demand;
	plain text;
	u32 freed;
};

static void model_free(struct path *path)
{
	RL_ASSERT(path->freed++ == 0);
	path->text = NULL; /* a write: nobody may still be reading */
}

#define write model_write
#define free model_free
#define arm_wake(ring)
#include "extracted.h"
#undef write
#undef free

#define ITEMS 4
#define CAPACITY 2

/* A writer that wakes, a reader that only sleeps: planner_hand_out and worker_turn, or worker and planner. */
struct waking : rl::test_suite<waking, 2> {
	struct spsc queue;
	struct ring ring;
	eventfd fd;
	plain places[CAPACITY];
	plain items[ITEMS];

	void before()
	{
		queue.items = places;
		queue.mask = CAPACITY - 1;
		queue.head_seen = queue.tail_seen = UINT32_MAX - 1; /* indices wrap on the way */
		queue.tail($) = UINT32_MAX - 1;
		queue.head($) = UINT32_MAX - 1;
		ring.wake_pending($) = 0;
		ring.wake_fd = &fd;
		fd.init(false, 0, 1000, $);
	}

	void after() { fd.deinit($); }

	void thread(unsigned index)
	{
		if (index == 0) {
			for (uintptr_t i = 0; i < ITEMS; i++) {
				items[i] = (void *)(i + 7);
				rl::linear_backoff backoff;
				while (!spsc_push(&queue, &items[i]))
					backoff.yield($);
				ring_wake(&ring);
			}
			return;
		}
		for (u32 got = 0; got < ITEMS;) {
			fd.wait(false, false, $);
			struct ring *ring = &this->ring;
			WAKE_COMPLETED;
			while (void *item = spsc_pop(&queue)) {
				RL_ASSERT(item == &items[got]);
				RL_ASSERT(*(plain *)item == (void *)((uintptr_t)got + 7));
				got++;
			}
		}
	}
};

/* The last of three holders frees. */
struct holding : rl::test_suite<holding, 3> {
	struct path path;

	void before()
	{
		path.references($) = 1;
		path.text = (void *)1;
		path.freed = 0;
		path_take(&path);
		path_take(&path);
	}

	void thread(unsigned)
	{
		struct path *mine = path_take(&path);

		RL_ASSERT(mine->text == (void *)1);
		path_give(mine);
		RL_ASSERT(path.text == (void *)1);
		path_give(&path);
	}

	void after() { RL_ASSERT(path.freed == 1); }
};

template <typename test> static bool holds(const char *name, rl::scheduler_type_e how, unsigned count)
{
	rl::test_params params;

	params.search_type = how;
	params.iteration_count = count;
	params.execution_depth_limit = 5000;
	params.context_bound = 3;
	bool good = rl::simulate<test>(params);
	std::cout << name << ": " << (good ? "holds" : rl::test_result_str(params.test_result)) << " in "
		  << params.stop_iteration << " executions\n";
	return good;
}

int main(int, char **argv)
{
	unsigned count = (unsigned)atoi(argv[1]);
	bool good = holds<waking>("waking", rl::sched_random, count);

	good &= holds<holding>("holding", rl::sched_random, count);
	return good ? 0 : 1;
}
