/*
 * A day of a customer's mail, played against the real planner: three campaigns of very different
 * sizes that start at different hours, the smallest of them with a deadline, and letters all day.
 * Receivers and everything else outside are a model (day_model.h, day_play.h), time is virtual;
 * queue, transactions, shaping, retries and memory are the sender's own.
 *
 * The same day is played by a sender with limits that somebody guessed, and by one without any: both
 * must do worse by the factors that stand below. DAY_MESSAGES sets the size (10000000: the first day
 * takes five minutes and 3 GB of /dev/shm), DAY_SEED the receivers, DAY_RECEIVERS tells of each.
 */
#include "day_mail.h"

#include <math.h>
#include <time.h>

#define MIB (1ull << 20)
#define MESSAGES 120000 /* what the sanitizers can play in a CI's patience */

static const char *const sender_names[] = { "no limits", "guessed limits", "adaptive" };

/* ---- time ---- */

#define BEGIN_NS (1000 * NS_PER_S)
#define BEGIN_MS 1796083200000ull /* 2026-12-01 00:00 UTC */

static struct day *today;

u64 __wrap_clock_mono_ns(void);
u64 __wrap_clock_wall_ms(void);

u64 __wrap_clock_mono_ns(void)
{
	return BEGIN_NS + today->now_ms * NS_PER_MS;
}

u64 __wrap_clock_wall_ms(void)
{
	return BEGIN_MS + today->now_ms;
}

static u64 cpu_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

/* Its deadline is, and what is with a worker by then has come back. */
static bool is_over(const struct day *day, u32 c)
{
	return day->bulk[c].deadline_ms > 0 &&
	       day->now_ms > day->bulk[c].deadline_ms + 60 * MS_PER_S;
}

static bool is_running(const struct day *day)
{
	for (u32 c = 0; c < CAMPAIGNS; c++) {
		if (day->bulk[c].open > 0 && !is_over(day, c))
			return day->now_ms < DAY_MS;
	}
	return false;
}

static void start_due(struct day *day)
{
	struct error error = { "" };

	for (u32 c = 0; c < CAMPAIGNS; c++) {
		if (day->bulk[c].start_ms != day->now_ms)
			continue;
		if (!planner_campaign_start(day->f.planner, day->bulk[c].id, &error))
			fail_msg("%s", error.text);
	}
}

/* In whole ticks, and never the same one again. */
static u64 next_tick(const struct day *day, u64 at_ms)
{
	at_ms = max_u64(at_ms, day->now_ms + 1);
	return (at_ms + TICK_MS - 1) / TICK_MS * TICK_MS;
}

/* When something happens next, unless the planner wants to be waked before. */
static u64 next_event_ms(const struct day *day, u64 letter_ms)
{
	u64 at_ms = min_u64(letter_ms, (day->now_ms / WINDOW_MS + 1) * WINDOW_MS);

	for (u32 i = 1; day->under_way > 0 && i < TICKS; i++) {
		if (list_is_empty(&day->ends[(day->now_ms / TICK_MS + i) % TICKS]))
			continue;
		at_ms = min_u64(at_ms, (day->now_ms / TICK_MS + i) * TICK_MS);
		break;
	}
	for (u32 c = 0; c < CAMPAIGNS; c++) {
		if (day->bulk[c].start_ms > day->now_ms)
			at_ms = min_u64(at_ms, day->bulk[c].start_ms);
	}
	return at_ms;
}

/* Bytes of what the planner holds for rows, domains, receivers and letters. */
static u64 bytes_of(const struct planner *planner)
{
	return (u64)planner->lanes_active * sizeof(struct lane) +
	       (u64)planner->refs_waiting * sizeof(struct waiting_row) +
	       planner->domains.count * sizeof(struct domain) +
	       planner->sites.count * sizeof(struct site) +
	       (u64)planner->route_count * sizeof(struct planner_route) +
	       (u64)planner->leases_used * sizeof(struct lease);
}

/* ---- fairness ---- */

/* Jain's index of what campaigns got that had rows for the receiver all the time. */
static void judge_window(struct day *day, const struct way *way, u32 receiver)
{
	double sum = 0;
	double squares = 0;
	double jain;
	u32 count = 0;

	for (u32 c = 0; c < CAMPAIGNS; c++) {
		const double got = (double)(way->begun[c] - way->window[c]);

		if (!way->had_rows[c] || day->bulk[c].untried[receiver] == 0)
			continue;
		count++;
		sum += got;
		squares += got * got;
	}
	/* By turns of sixteen rows, few of them say nothing. */
	if (count < 2 || sum < 200)
		return;
	jain = sum * sum / (count * squares);
	day->jain_sum += jain;
	day->jain_least = day->windows == 0 ? jain : fmin(day->jain_least, jain);
	day->windows++;
}

static void end_window(struct day *day)
{
	for (u32 i = 0; i < RECEIVERS; i++) {
		struct way *way = &day->ways[i];

		judge_window(day, way, i);
		for (u32 c = 0; c < CAMPAIGNS; c++) {
			way->window[c] = way->begun[c];
			way->had_rows[c] = day->bulk[c].start_ms <= day->now_ms &&
					   day->bulk[c].untried[i] > 0;
		}
	}
}

/* ---- the day ---- */

static void turn(struct day *day)
{
	const u64 before_ns = cpu_now_ns();

	day->f.now_ns = clock_mono_ns();
	if (dns.count > 0)
		planner_resolver_ready(day->f.planner);
	planner_turn(day->f.planner, day->f.now_ns, clock_wall_ms());
	day->cpu_ns += cpu_now_ns() - before_ns;
	day->turns++;
}

static void play(struct day *day)
{
	const u64 letter_every_ms = DAY_MS / day->letters_max + 1;
	const struct planner_options literal = { .literal = true };
	u64 letter_ms = letter_every_ms;
	struct buf options;

	buf_init(&options, 256);
	planner_options_pack(&literal, &options);
	while (is_running(day)) {
		u64 wake_ms;

		start_due(day);
		end_attempts(day);
		if (day->now_ms >= letter_ms && day->letter_count < day->letters_max) {
			bring(day, buf_slice(&options));
			letter_ms += letter_every_ms;
		}
		turn(day);
		take_leases(day);
		if (day->now_ms % WINDOW_MS == 0)
			end_window(day);
		day->bytes_most = max_u64(day->bytes_most, bytes_of(day->f.planner));
		wake_ms = day->now_ms +
			  planner_wait_ns(day->f.planner, day->f.now_ns) / NS_PER_MS;
		if (dns.count > 0)
			wake_ms = day->now_ms;
		day->now_ms = next_tick(day, min_u64(wake_ms, next_event_ms(day, letter_ms)));
	}
	buf_done(&options);
}

/* Its rule keeps to less than it would take. */
static void limit(struct receiver *r)
{
	r->per_s *= 2;
	r->sessions *= 2;
	r->allowed_per_s = r->per_s * LIMIT;
}

static void make_day(struct day *day, enum sender_kind kind, u64 messages, u64 seed)
{
	u64 sum = 0;

	*day = (struct day){ .kind = kind, .seed = seed, .messages = messages };
	receivers_make(day->receivers, messages, seed);
	day->receivers[DOWN_RECEIVER].down_from_ms = 3 * HOUR_MS;
	day->receivers[DOWN_RECEIVER].down_until_ms = 3 * HOUR_MS + 40 * 60000;
	for (u32 i = 0; i < RECEIVERS; i++) {
		sum += day->receivers[i].messages;
		day->weights[i] = sum;
		/* Each message comes twice. */
		if (greylists(i))
			day->receivers[i].per_s *= 2;
	}
	limit(&day->receivers[MINUTE_RECEIVER]);
	limit(&day->receivers[HOUR_RECEIVER]);
	day->weights[RECEIVERS] = sum;
	for (u32 i = 0; i < TICKS; i++)
		list_init(&day->ends[i]);
	day->letters_max = (u32)(messages / LETTER_SHARE);
	day->letters = calloc(day->letters_max, sizeof(*day->letters));
	assert_non_null(day->letters);
}

static struct day *play_day(enum sender_kind kind, u64 messages, u64 seed)
{
	struct day *day = malloc(sizeof(*day));

	assert_non_null(day);
	make_day(day, kind, messages, seed);
	today = day;
	open_sender(day);
	for (u32 c = 0; c < CAMPAIGNS; c++)
		import(day, c);
	play(day);
	return day;
}

/* Leases are the planner's, which goes before the worker. */
static void end_day(struct day *day)
{
	for (u32 i = 0; i < RECEIVERS; i++) {
		while (day->ways[i].route && worker_route_pop(day->ways[i].route))
			;
	}
	fixture_close(&day->f);
	free(day->letters);
	free(day);
}

/* ---- what came of it ---- */

/* A receiver has all of its mail, at best. */
static double ideal_hours_of(const struct day *day, u32 receiver)
{
	struct load loads[CAMPAIGNS];

	for (u32 c = 0; c < CAMPAIGNS; c++)
		loads[c] = (struct load){ day->bulk[c].start_ms,
					  day->bulk[c].messages[receiver] *
						  (greylists(receiver) ? 2 : 1) };
	return (double)receiver_ideal_ms(&day->receivers[receiver], loads, CAMPAIGNS) / HOUR_MS;
}

static double ideal_hours(const struct day *day)
{
	double longest = 0;

	for (u32 i = 0; i < RECEIVERS; i++)
		longest = fmax(longest, ideal_hours_of(day, i));
	return longest;
}

static int by_size(const void *a, const void *b)
{
	const u64 left = *(const u64 *)a;
	const u64 right = *(const u64 *)b;

	return left < right ? -1 : left > right;
}

/* Of letters for large receivers: a sorted list; those that were never tried waited to the end. */
static u64 *letter_waits(const struct day *day, bool others, u32 *count)
{
	u64 *sorted = calloc(day->letter_count + 1, sizeof(*sorted));

	assert_non_null(sorted);
	*count = 0;
	for (u32 i = 0; i < day->letter_count; i++) {
		const struct brought *letter = &day->letters[i];
		const bool is_begun = letter->begun_ms > 0;
		const u64 until_ms = is_begun ? letter->begun_ms : day->now_ms;

		if (choose(day, LETTERS, i).receiver != SMALL && (is_begun || !others))
			sorted[(*count)++] = others ? letter->others : until_ms - letter->added_ms;
	}
	qsort(sorted, *count, sizeof(*sorted), by_size);
	return sorted;
}

static u32 blocks_of(const struct day *day)
{
	u32 blocks = 0;

	for (u32 i = 0; i < RECEIVERS; i++)
		blocks += day->receivers[i].blocks;
	return blocks;
}

struct outcome {
	double hours; /* until all of the bulk mail that could be decided was */
	double ideal_hours;
	double open;    /* shares: what was not, ... */
	double lost;    /* ... what failed though its receiver would have taken it, ... */
	double wasted;  /* ... attempts that were told to slow down or blocked, ... */
	double in_time; /* ... and decided before its deadline */
	double jain;
	double jain_least;
	u32 blocks;
	u64 wait_ms;   /* of letters: the median, ... */
	u64 wait99_ms; /* ... what one in a hundred waited longer than, ... */
	u64 overtaken; /* ... and how often bulk mail to the same receiver went before such a one */
};

static struct outcome judge(struct day *day)
{
	struct outcome o = { .hours = (double)day->now_ms / HOUR_MS,
			     .ideal_hours = ideal_hours(day),
			     .blocks = blocks_of(day),
			     .jain = day->windows > 0 ? day->jain_sum / day->windows : 0,
			     .jain_least = day->jain_least };
	u64 total = 0;
	u64 *sorted;
	u32 count;

	for (u32 c = 0; c < CAMPAIGNS; c++) {
		const struct bulk *bulk = &day->bulk[c];
		const struct queue_campaign record = campaign_of(&day->f, bulk->id);
		u64 rejects;

		total += bulk->total;
		o.open += (double)bulk->open;
		rejects = bulk->bad + bulk->unknown + (bulk->deadline_ms > 0 ? bulk->never : 0);
		if (record.failed > rejects)
			o.lost += (double)(record.failed - rejects);
		if (bulk->deadline_ms > 0)
			o.in_time = (double)bulk->in_time /
				    (double)(bulk->total - bulk->unknown - bulk->never);
	}
	o.open /= (double)total;
	o.lost /= (double)total;
	o.wasted = (double)day->wasted / (double)total;
	sorted = letter_waits(day, false, &count);
	o.wait_ms = sorted[count / 2];
	o.wait99_ms = sorted[count * 99ull / 100];
	free(sorted);
	sorted = letter_waits(day, true, &count);
	o.overtaken = sorted[count * 99ull / 100];
	free(sorted);
	return o;
}

/* One by one, for whoever wants to know what held a day up. */
static void tell_receivers(const struct day *day)
{
	for (u32 i = 0; i < RECEIVERS; i++) {
		const struct receiver *r = &day->receivers[i];
		const struct way *way = &day->ways[i];

		printf("    %2u  %8.2f a second  %4u sessions of %.2f s  burst %2.0f s  patience "
		       "%3.0f s  done %.2f h (at best %.2f)  wasted %llu  blocks %u\n", i,
		       r->per_s, r->sessions, r->latency_s, r->burst_s, r->patience,
		       (double)way->done_ms / HOUR_MS, ideal_hours_of(day, i),
		       (unsigned long long)way->wasted, r->blocks);
	}
}

static void tell(const struct day *day, const struct outcome *o)
{
	printf("%-14s  %5.2f h (at best %.2f)  open %6.2f%%  lost %.2f%%  wasted attempts %6.2f%%  "
	       "blocks %u\n",
	       sender_names[day->kind], o->hours, o->ideal_hours, 100 * o->open, 100 * o->lost,
	       100 * o->wasted, o->blocks);
	for (u32 c = 0; c < CAMPAIGNS; c++)
		printf("    %-10s %8llu rows  from %.1f h  %s %.2f h\n", plan[c].name,
		       (unsigned long long)day->bulk[c].total,
		       (double)day->bulk[c].start_ms / HOUR_MS,
		       day->bulk[c].finished_ms > 0 ? "done at" : "not done at",
		       (double)(day->bulk[c].finished_ms > 0 ? day->bulk[c].finished_ms :
							       day->now_ms) / HOUR_MS);
	printf("    before its deadline %.2f%%; fairness %.3f, least %.3f of %u half hours; letters "
	       "%.2f s, p99 %.1f s, overtaken %llu times\n",
	       100 * o->in_time, o->jain, o->jain_least, day->windows,
	       (double)o->wait_ms / 1000, (double)o->wait99_ms / 1000,
	       (unsigned long long)o->overtaken);
	printf("    planner: %.1f us a message, %llu turns, %llu commits, %llu KiB at most\n",
	       (double)day->cpu_ns / 1000 / (double)day->messages, (unsigned long long)day->turns,
	       (unsigned long long)metric_get(&day->f.planner->m->commits),
	       (unsigned long long)day->bytes_most / 1024);
	if (getenv("DAY_RECEIVERS"))
		tell_receivers(day);
}

/* ---- bars ---- */

static u64 number_of(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static struct outcome play_and_tell(enum sender_kind kind, u64 messages)
{
	struct day *day = play_day(kind, messages, number_of("DAY_SEED", 1));
	const struct outcome o = judge(day);

	tell(day, &o);
	end_day(day);
	return o;
}

static void a_day_of_mail_is_done_nearly_as_soon_as_can_be(void **state)
{
	const u64 messages = number_of("DAY_MESSAGES", MESSAGES);
	struct day *day = play_day(ADAPTIVE, messages, number_of("DAY_SEED", 1));
	const struct outcome o = judge(day);

	(void)state;
	tell(day, &o);
	assert_true(o.open == 0);
	assert_true(o.lost == 0);
	assert_true(o.hours < o.ideal_hours * 1.2);
	assert_true(o.in_time > 0.999);
	assert_true(o.blocks <= 3);
	/* A receiver's rate is found out again now and then, whatever it is. */
	assert_true((double)day->wasted < RECEIVERS * 300 + 0.01 * (double)messages);
	assert_true(o.jain > 0.98);
	assert_true(o.jain_least > 0.75);
	assert_true(o.wait_ms < 1000);
	assert_true(o.wait99_ms < 30000);
	assert_true(o.overtaken <= 2);
	assert_true(day->ways[MINUTE_RECEIVER].most_a_minute <=
		    minute_limit(&day->receivers[MINUTE_RECEIVER]));
	assert_true(day->ways[HOUR_RECEIVER].most_an_hour <=
		    hour_limit(&day->receivers[HOUR_RECEIVER]));
	assert_true(day->bytes_most < 64 * MIB);
	end_day(day);
}

static void who_learns_nothing_does_worse_by_far(void **state)
{
	const u64 messages = number_of("DAY_MESSAGES", MESSAGES) / 4;
	const struct outcome learns = play_and_tell(ADAPTIVE, messages);

	(void)state;
	for (enum sender_kind kind = NAIVE; kind < ADAPTIVE; kind++) {
		const struct outcome o = play_and_tell(kind, messages);

		/* It is not done by the end of the day, and the receivers think ill of us. */
		assert_true(o.hours > 2 * learns.hours);
		assert_true(o.open > 0.05 + learns.open);
		assert_true(o.wasted > 10 * learns.wasted);
		assert_true(o.blocks > 50 + learns.blocks);
		assert_true(o.in_time < 0.8 * learns.in_time);
	}
}

static void receivers_words_are_understood_as_they_are_meant(void **state)
{
	(void)state;
	for (u32 i = 0; i < array_count(says); i++) {
		const struct smtp_refusal refusal = {
			.code = says[i].code,
			.enhanced = { says[i].enhanced[0], says[i].enhanced[1],
				      says[i].enhanced[2] },
			.stage = says[i].stage,
			.text = slice_of(says[i].text),
		};

		if (says[i].code >= 400)
			assert_int_equal(smtp_classify(&refusal, &(struct smtp_class_table){ 0 })
						 .class,
					 says[i].class);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(receivers_words_are_understood_as_they_are_meant),
		cmocka_unit_test(a_day_of_mail_is_done_nearly_as_soon_as_can_be),
		cmocka_unit_test(who_learns_nothing_does_worse_by_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
