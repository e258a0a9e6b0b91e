#include "web/pulse.h"

#include "base/clock.h"

#define ASK_NS (60 * NS_PER_S)

void pulse_init(struct pulse *pulse)
{
	*pulse = (struct pulse){ .has_totals = false };
	pthread_mutex_init(&pulse->lock, NULL);
}

static struct pulse_step *step_at(struct pulse *pulse, u64 number)
{
	struct pulse_step *step = &pulse->steps[number % PULSE_STEPS];

	if (step->number != number)
		*step = (struct pulse_step){ .number = number };
	return step;
}

void pulse_note(struct pulse *pulse, u64 now_ms, const u64 totals[PULSE_KINDS])
{
	struct pulse_step *step;

	pthread_mutex_lock(&pulse->lock);
	step = step_at(pulse, now_ms / PULSE_STEP_MS);
	for (u32 i = 0; i < PULSE_KINDS; i++) {
		/* What was done before anybody looked is of no known time. */
		if (pulse->has_totals)
			step->counts[i] += totals[i] >= pulse->totals[i] ?
						   totals[i] - pulse->totals[i] :
						   totals[i];
		pulse->totals[i] = totals[i];
	}
	pulse->has_totals = true;
	pthread_mutex_unlock(&pulse->lock);
}

u32 pulse_read(struct pulse *pulse, u64 now_ms, struct pulse_step out[PULSE_STEPS])
{
	u64 last = now_ms / PULSE_STEP_MS;
	u32 count = 0;

	pthread_mutex_lock(&pulse->lock);
	for (u64 number = last >= PULSE_STEPS ? last - PULSE_STEPS + 1 : 1; number <= last;
	     number++) {
		const struct pulse_step *step = &pulse->steps[number % PULSE_STEPS];

		if (step->number == number)
			out[count++] = *step;
	}
	pthread_mutex_unlock(&pulse->lock);
	return count;
}

/* ---- asking ---- */

static u64 number_of(const json_t *json, const char *object, const char *name)
{
	json_int_t value =
		json_integer_value(json_object_get(json_object_get(json, object), name));

	return value > 0 ? (u64)value : 0;
}

static void on_status(void *owner, enum exchange_end end, const json_t *json)
{
	struct pulse_asker *asker = owner;
	u64 totals[PULSE_KINDS];

	asker->exchange = NULL;
	if (end != EXCHANGE_REPLIED)
		return;
	totals[PULSE_DELIVERED] = number_of(json, "totals", "delivered");
	totals[PULSE_FAILED] = number_of(json, "totals", "failed");
	totals[PULSE_DEFERRED] = number_of(json, "totals", "deferred");
	totals[PULSE_BOUNCED] = number_of(json, "inbound", "bounced");
	pulse_note(asker->pulse, clock_wall_ms(), totals);
}

static const struct exchange_events events = { NULL, on_status };

/* One that is still under way is left to its end; one that cannot be made is made the next time. */
static void ask(struct timer *timer)
{
	struct pulse_asker *asker = container_of(timer, struct pulse_asker, timer);

	timer_start(asker->wheel, timer, clock_mono_ns() + ASK_NS);
	if (asker->exchange)
		return;
	asker->exchange = exchange_new(asker->line, &events, asker);
	if (!asker->exchange)
		return;
	exchange_request(asker->exchange, json_pack("{s:s}", "command", "status"));
	if (!exchange_start(asker->exchange))
		asker->exchange = NULL;
}

void pulse_asker_start(struct pulse_asker *asker, struct pulse *pulse, struct exchange_line *line,
		       struct timer_wheel *wheel)
{
	*asker = (struct pulse_asker){ .pulse = pulse, .line = line, .wheel = wheel };
	timer_init(&asker->timer, ask);
	timer_start(wheel, &asker->timer, clock_mono_ns());
}

void pulse_asker_stop(struct pulse_asker *asker)
{
	if (!asker->pulse)
		return;
	timer_stop(asker->wheel, &asker->timer);
	if (asker->exchange)
		exchange_drop(asker->exchange);
	asker->exchange = NULL;
	asker->pulse = NULL;
}
