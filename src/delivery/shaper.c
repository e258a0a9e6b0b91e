#include "delivery/shaper.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#define WIDTH_MIN 1.0
#define WIDTH_MAX 1e9
#define RATE_MIN (1.0 / 60)
#define CUT 0.5
/* Seconds after which the rate that was too fast is reached again. */
#define RECOVERY_S 60.0
/* So many times that rate: it does not count any more. */
#define FREE_FACTOR 16.0
#define PAUSE_NS (5 * NS_PER_S)
#define PAUSE_MAX_NS (300 * NS_PER_S)
#define BREAK_NS (900 * NS_PER_S)
#define BREAK_MAX_NS (4 * 3600 * NS_PER_S)
#define HISTORY 20
#define HISTORY_MASK ((1u << HISTORY) - 1)
#define MEASURE_NS (2 * NS_PER_S)
#define DOUBLINGS_MAX 16

static double less(double a, double b)
{
	return a < b ? a : b;
}

static double more(double a, double b)
{
	return a > b ? a : b;
}

static const u64 period_ms[SHAPER_PERIODS] = { 60 * MS_PER_S, 3600 * MS_PER_S, 86400 * MS_PER_S };

static const char *const period_names[SHAPER_PERIODS] = { "minute", "hour", "day" };

const char *shaper_state_name(enum shaper_state state)
{
	static const char *const names[] = { "open", "starting", "slowed", "blocked" };

	return names[state];
}

/* ---- periods ---- */

static u64 slot_ms(enum shaper_period period)
{
	return period_ms[period] / SHAPER_SLOTS;
}

/* Twelfths that are over are counted out. */
static void window_turn(struct shaper_window *window, enum shaper_period period, u64 due_ms)
{
	u64 slot = due_ms / slot_ms(period);

	if (slot > window->slot + SHAPER_SLOTS + 1) {
		*window = (struct shaper_window){ .slot = slot };
		return;
	}
	while (window->slot < slot) {
		u32 *oldest = &window->counts[++window->slot % (SHAPER_SLOTS + 1)];

		window->sum -= *oldest;
		*oldest = 0;
	}
}

static void window_add(struct shaper_window *window, u32 count)
{
	window->counts[window->slot % (SHAPER_SLOTS + 1)] += count;
	window->sum += count;
}

/* Those that were lent before the twelfth under way stay counted: rather too few than too many. */
static void window_take_back(struct shaper_window *window, u32 count)
{
	u32 *now = &window->counts[window->slot % (SHAPER_SLOTS + 1)];

	count = min_u32(count, *now);
	*now -= count;
	window->sum -= count;
}

/* When the first messages fall out of it: by the clock of `due_ms`. */
static u64 window_next_ms(const struct shaper_window *window, enum shaper_period period)
{
	for (u64 back = SHAPER_SLOTS; back > 0; back--) {
		if (window->slot >= back &&
		    window->counts[(window->slot - back) % (SHAPER_SLOTS + 1)] > 0)
			return (window->slot - back + SHAPER_SLOTS + 1) * slot_ms(period);
	}
	return (window->slot + SHAPER_SLOTS + 1) * slot_ms(period);
}

static u32 limit_of(const struct shaper_limits *limits, enum shaper_period period)
{
	switch (period) {
	case SHAPER_MINUTE:
		return limits->per_minute;
	case SHAPER_HOUR:
		return limits->per_hour;
	default:
		return limits->per_day;
	}
}

static u32 periods_room(struct shaper *shaper, const struct shaper_limits *limits, u64 due_ms)
{
	u32 room = SHAPER_UNLIMITED;

	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		const u32 limit = limit_of(limits, i);

		window_turn(&shaper->windows[i], i, due_ms);
		if (limit > 0)
			room = min_u32(room, limit - min_u32(limit, shaper->windows[i].sum));
	}
	return room;
}

u32 shaper_used(const struct shaper *shaper, enum shaper_period period, u64 due_ms)
{
	struct shaper_window window = shaper->windows[period];

	window_turn(&window, period, due_ms);
	return window.sum;
}

/* "minute SLOT COUNT*13\n" and so on, the twelfth under way last. */
void shaper_pack(const struct shaper *shaper, struct buf *out)
{
	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		const struct shaper_window *window = &shaper->windows[i];

		buf_add_format(out, "%s%s %llu", i > 0 ? "\n" : "", period_names[i],
			       (unsigned long long)window->slot);
		for (u32 k = 1; k <= SHAPER_SLOTS + 1; k++)
			buf_add_format(out, " %u",
				       window->counts[(window->slot + k) % (SHAPER_SLOTS + 1)]);
	}
}

static bool unpack_window(struct slice line, const char *name, struct shaper_window *window)
{
	*window = (struct shaper_window){ 0 };
	if (!slice_equal(slice_split(&line, ' '), slice_of(name)) || !line.ptr ||
	    !slice_to_u64(slice_split(&line, ' '), &window->slot) ||
	    window->slot > UINT64_MAX - SHAPER_SLOTS - 1)
		return false;
	for (u32 k = 1; k <= SHAPER_SLOTS + 1; k++) {
		u32 count;

		if (!line.ptr || !slice_to_u32(slice_split(&line, ' '), &count) ||
		    count > UINT32_MAX - window->sum)
			return false;
		window->counts[(window->slot + k) % (SHAPER_SLOTS + 1)] = count;
		window->sum += count;
	}
	return !line.ptr;
}

bool shaper_unpack(struct shaper *shaper, struct slice text)
{
	struct shaper_window windows[SHAPER_PERIODS];

	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		if (!text.ptr ||
		    !unpack_window(slice_split(&text, '\n'), period_names[i], &windows[i]))
			return false;
	}
	if (text.ptr)
		return false;
	memcpy(shaper->windows, windows, sizeof(windows));
	return true;
}

void shaper_lent(struct shaper *shaper, u32 count, u64 due_ms)
{
	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		window_turn(&shaper->windows[i], i, due_ms);
		window_add(&shaper->windows[i], count);
	}
	shaper->tokens -= count;
}

void shaper_returned(struct shaper *shaper, u32 count, u64 due_ms)
{
	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		window_turn(&shaper->windows[i], i, due_ms);
		window_take_back(&shaper->windows[i], count);
	}
	shaper->tokens += count;
}

/* ---- rate ---- */

/* What was learned, at this moment; 0: nothing. */
static double learned_rate(struct shaper *shaper, u64 now_ns)
{
	double t;

	if (shaper->rate_high <= 0)
		return 0;
	t = (double)(now_ns - shaper->slowed_ns) / NS_PER_S / RECOVERY_S - 1;
	shaper->rate = shaper->rate_high * (1 + (1 - CUT) * t * t * t);
	if (shaper->rate > shaper->rate_high * FREE_FACTOR) {
		shaper->rate_high = 0;
		shaper->rate = 0;
	}
	return shaper->rate > 0 && shaper->rate < RATE_MIN ? RATE_MIN : shaper->rate;
}

/* A second; 0: no limit. */
static double rate_now(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns)
{
	double learned = limits->is_adaptive ? learned_rate(shaper, now_ns) : 0;
	double set = limits->per_second;

	if (set > 0 && learned > 0)
		return less(set, learned);
	return set > 0 ? set : learned;
}

/* A tenth of a second's worth of tokens may gather, at least one. */
static void refill(struct shaper *shaper, double rate, u64 now_ns)
{
	double burst = more(rate / 10, 1);
	double gained = (double)(now_ns - shaper->tokens_ns) / NS_PER_S * rate;

	shaper->tokens_ns = now_ns;
	shaper->tokens = less(shaper->tokens + gained, burst);
}

static void measure(struct shaper *shaper, u64 now_ns)
{
	u64 passed = now_ns - shaper->measured_ns;

	if (passed < MEASURE_NS)
		return;
	shaper->recent = (double)shaper->measured * NS_PER_S / (double)passed;
	shaper->measured = 0;
	shaper->measured_ns = now_ns;
}

/* ---- room ---- */

void shaper_init(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns)
{
	*shaper = (struct shaper){ .measured_ns = now_ns, .tokens = 1, .tokens_ns = now_ns };
	shaper_forgive(shaper, limits, now_ns);
}

void shaper_forgive(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns)
{
	bool is_open = !limits->is_adaptive || limits->sessions <= SHAPER_START;

	shaper->state = is_open ? SHAPER_OPEN : SHAPER_STARTING;
	shaper->width = SHAPER_START;
	shaper->threshold = WIDTH_MAX;
	shaper->rate = shaper->rate_high = 0;
	shaper->slowed_ns = 0;
	shaper->paused_until_ns = 0;
	shaper->pauses = shaper->breaks = 0;
	shaper->history = shaper->history_count = 0;
	shaper->recent = 0;
	shaper->measured = 0;
	shaper->measured_ns = now_ns;
}

u32 shaper_room(struct shaper *shaper, const struct shaper_limits *limits, u32 in_flight,
		u64 now_ns, u64 due_ms)
{
	u32 room = periods_room(shaper, limits, due_ms);
	double rate = rate_now(shaper, limits, now_ns);

	if (now_ns < shaper->paused_until_ns)
		return 0;
	if (rate > 0) {
		refill(shaper, rate, now_ns);
		room = min_u32(room, shaper->tokens >= 1 ? (u32)shaper->tokens : 0);
	}
	if (shaper->state != SHAPER_OPEN) {
		u32 width = shaper->state == SHAPER_BROKEN ? 1 : (u32)shaper->width;

		room = min_u32(room, width > in_flight ? width - in_flight : 0);
	}
	return room;
}

u64 shaper_next_ns(const struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns,
		   u64 due_ms)
{
	struct shaper copy = *shaper;
	double rate = rate_now(&copy, limits, now_ns);
	u64 next = 0;

	if (now_ns < shaper->paused_until_ns)
		return shaper->paused_until_ns;
	if (rate > 0) {
		refill(&copy, rate, now_ns);
		if (copy.tokens < 1)
			next = now_ns + (u64)((1 - copy.tokens) / rate * NS_PER_S) + 1;
	}
	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		const u32 limit = limit_of(limits, i);
		u64 at_ms;

		window_turn(&copy.windows[i], i, due_ms);
		if (limit == 0 || copy.windows[i].sum < limit)
			continue;
		at_ms = window_next_ms(&copy.windows[i], i);
		next = max_u64(next, now_ns + (at_ms - min_u64(at_ms, due_ms)) * NS_PER_MS);
	}
	return next > 0 ? next : SHAPER_NEVER;
}

bool shaper_has_no_debts(const struct shaper *shaper, const struct shaper_limits *limits,
			 u64 now_ns, u64 due_ms)
{
	struct shaper copy = *shaper;
	double rate = rate_now(&copy, limits, now_ns);

	if (shaper->state == SHAPER_SLOWED || shaper->state == SHAPER_BROKEN)
		return false;
	if (rate > 0) {
		refill(&copy, rate, now_ns);
		if (copy.tokens < 1)
			return false;
	}
	for (u32 i = 0; i < SHAPER_PERIODS; i++) {
		if (limit_of(limits, i) > 0 && shaper_used(shaper, i, due_ms) > 0)
			return false;
	}
	return true;
}

/* ---- answers ---- */

static u64 doubled(u64 first, u32 times, u64 max)
{
	return min_u64(first << min_u32(times, DOUBLINGS_MAX), max);
}

static void taken(struct shaper *shaper, const struct shaper_limits *limits)
{
	shaper->measured++;
	shaper->pauses = shaper->breaks = 0;
	if (shaper->state == SHAPER_OPEN)
		return;
	if (shaper->state == SHAPER_BROKEN) {
		shaper->state = SHAPER_SLOWED;
		shaper->history = shaper->history_count = 0;
		shaper->width = WIDTH_MIN;
		shaper->threshold = more(limits->sessions / 2.0, WIDTH_MIN);
	}
	shaper->width += shaper->width < shaper->threshold ? 1 : 1 / shaper->width;
	if (shaper->width < limits->sessions)
		return;
	shaper->width = limits->sessions;
	if (shaper->rate_high <= 0)
		shaper->state = SHAPER_OPEN;
}

static void slow_down(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns)
{
	double rate = rate_now(shaper, limits, now_ns);
	bool is_first = shaper->state == SHAPER_OPEN || shaper->state == SHAPER_STARTING;
	double width = shaper->state == SHAPER_OPEN ? limits->sessions : shaper->width;

	/* What was under way then tells the same news. */
	if (now_ns < shaper->paused_until_ns)
		return;
	if (rate <= 0 || (is_first && shaper->recent > 0))
		rate = shaper->recent > 0 ? shaper->recent : 1;
	/* A rate that was allowed and not used is not the one that was too fast. */
	else if (shaper->recent > 0)
		rate = less(rate, 2 * shaper->recent);
	shaper->rate_high = more(rate, RATE_MIN);
	shaper->slowed_ns = now_ns;
	shaper->tokens = 0;
	shaper->tokens_ns = now_ns;
	shaper->width = shaper->threshold = more(width * CUT, WIDTH_MIN);
	shaper->paused_until_ns = now_ns + doubled(PAUSE_NS, shaper->pauses, PAUSE_MAX_NS);
	shaper->pauses++;
	if (shaper->state != SHAPER_BROKEN)
		shaper->state = SHAPER_SLOWED;
}

static void blocked(struct shaper *shaper, u64 now_ns)
{
	u32 count = (u32)__builtin_popcount(shaper->history);
	bool is_try = shaper->state == SHAPER_BROKEN;

	if (is_try && now_ns < shaper->paused_until_ns)
		return;
	if (!is_try && (count < SHAPER_BLOCKS_MIN || count * 2 < shaper->history_count))
		return;
	shaper->state = SHAPER_BROKEN;
	shaper->paused_until_ns = now_ns + doubled(BREAK_NS, shaper->breaks, BREAK_MAX_NS);
	shaper->breaks++;
}

bool shaper_answered(struct shaper *shaper, const struct shaper_limits *limits,
		     enum shaper_signal signal, u64 now_ns)
{
	enum shaper_state before = shaper->state;
	u32 breaks = shaper->breaks;

	measure(shaper, now_ns);
	/* What is put off for a reason of its own was borne as well: it counts for the pace. */
	if (signal == SHAPER_NEUTRAL)
		shaper->measured++;
	if (!limits->is_adaptive || signal == SHAPER_NEUTRAL)
		return false;
	shaper->history = (shaper->history << 1 | (signal == SHAPER_BLOCKED)) & HISTORY_MASK;
	shaper->history_count = min_u32(shaper->history_count + 1, HISTORY);
	switch (signal) {
	case SHAPER_TAKEN:
		taken(shaper, limits);
		break;
	case SHAPER_SLOW_DOWN:
		slow_down(shaper, limits, now_ns);
		break;
	default:
		blocked(shaper, now_ns);
		break;
	}
	if (before == SHAPER_STARTING && shaper->state == SHAPER_OPEN)
		return false;
	return shaper->state != before || shaper->breaks > breaks;
}
