#include "nth/inject.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define TRACE_BYTES (sizeof(struct inject_status) + INJECT_TRACE_MAX * sizeof(struct inject_trace))

static const char *const kind_names[INJECT_KINDS] = { "alloc", "call", "ring" };

static struct {
	bool on;
	bool traces;
	enum inject_kind kind;
	uint64_t first;
	uint64_t end;
	uint64_t seed;
	_Atomic uint64_t count[INJECT_KINDS];
	_Atomic uint32_t traced;
	_Atomic uint64_t failed;
	struct inject_status *status;
} plan;

static _Thread_local bool counts_here; /* a thread's making and ending are the sanitizer's */
static _Thread_local bool is_inside;
static _Thread_local uint64_t this_event;

struct walk {
	uint64_t *frames;
	uint32_t depth;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *argument)
{
	struct walk *walk = argument;

	if (walk->depth == INJECT_FRAMES)
		return _URC_END_OF_STACK;
	walk->frames[walk->depth++] = (uint64_t)_Unwind_GetIP(context);
	return _URC_NO_REASON;
}

static uint64_t hash_of(const uint64_t *frames, uint32_t depth)
{
	uint64_t hash = 14695981039346656037u;

	for (uint32_t i = 0; i < depth; i++)
		hash = (hash ^ frames[i]) * 1099511628211u;
	return hash ^ hash >> 29;
}

static void trace(enum inject_kind kind, uint32_t what, const struct walk *walk)
{
	uint32_t at = atomic_fetch_add(&plan.traced, 1);

	if (at >= INJECT_TRACE_MAX)
		return;
	plan.status->trace[at] =
		(struct inject_trace){ hash_of(walk->frames, walk->depth), what, kind };
	plan.status->traced = at + 1;
}

static void tell(uint32_t what, const struct walk *walk)
{
	memcpy(plan.status->frames, walk->frames, walk->depth * sizeof(walk->frames[0]));
	plan.status->depth = walk->depth;
	plan.status->site = hash_of(walk->frames, walk->depth);
	plan.status->what = what;
}

bool inject_is_on(void)
{
	return plan.on;
}

void inject_thread(bool counts)
{
	counts_here = counts;
}

bool inject_enter(void)
{
	if (is_inside)
		return false;
	is_inside = true;
	return true;
}

void inject_leave(void)
{
	is_inside = false;
}

bool inject_event(enum inject_kind kind, uint32_t what)
{
	uint64_t frames[INJECT_FRAMES];
	struct walk walk = { frames, 0 };
	uint64_t number;
	bool fails;

	if (!plan.on || !counts_here || !inject_enter())
		return false;
	number = atomic_fetch_add(&plan.count[kind], 1) + 1;
	plan.status->count[kind] = number;
	this_event = number;
	fails = !plan.traces && kind == plan.kind && number >= plan.first && number < plan.end;
	if (plan.traces || (fails && number == plan.first))
		_Unwind_Backtrace(on_frame, &walk);
	if (plan.traces)
		trace(kind, what, &walk);
	if (fails && number == plan.first)
		tell(what, &walk);
	if (fails)
		plan.status->failed = atomic_fetch_add(&plan.failed, 1) + 1;
	inject_leave();
	return fails;
}

uint32_t inject_choice(uint32_t count)
{
	uint64_t x = (this_event + plan.seed) * 0x9e3779b97f4a7c15u;

	return (uint32_t)((x >> 32) % count);
}

void inject_note(int32_t error)
{
	if (atomic_load(&plan.failed) <= 1)
		plan.status->error = error;
}

static bool parse(const char *text)
{
	char kind[16];
	unsigned long long first;
	unsigned long long length;
	unsigned long long seed;

	if (strcmp(text, "count") == 0) {
		plan.traces = true;
		return true;
	}
	if (sscanf(text, "%15[a-z]:%llu:%llu:%llu", kind, &first, &length, &seed) != 4)
		return false;
	plan.first = first;
	plan.end = first + length;
	plan.seed = seed;
	for (int i = 0; i < INJECT_KINDS; i++) {
		plan.kind = (enum inject_kind)i;
		if (strcmp(kind, kind_names[i]) == 0)
			return true;
	}
	return false;
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("NTH");
	const char *path = getenv("NTH_STATUS");
	size_t size;
	void *at;
	int fd;

	if (!text)
		return;
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (!parse(text) || fd < 0) {
		fprintf(stderr, "nth: NTH=%s NTH_STATUS=%s\n", text, path ? path : "");
		_exit(98);
	}
	size = plan.traces ? TRACE_BYTES : sizeof(struct inject_status);
	if (ftruncate(fd, (off_t)size) != 0)
		_exit(98);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		_exit(98);
	close(fd);
	plan.status = at;
	inject_calls_start();
	counts_here = true;
	plan.on = true;
}
