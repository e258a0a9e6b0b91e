#include "delivery/rate.h"

void rate_note(struct rate *rate, u64 events, u64 ns)
{
	const double memory = (double)RATE_MEMORY_NS;
	const double kept = memory / (memory + (double)ns);

	rate->events = rate->events * kept + (double)events;
	rate->seconds = rate->seconds * kept + (double)ns / (double)NS_PER_S;
}

double rate_per_s(const struct rate *rate)
{
	return rate->seconds > 0 ? rate->events / rate->seconds : 0;
}
