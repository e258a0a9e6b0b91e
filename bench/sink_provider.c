/* Receivers that are not content with everything: limits and moods by the address they listen on. */
#include "sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GREY_SLOTS (1u << 20)	/* a power of two; more addresses than half of it are too many */

/* First sight of addresses that are greylisted. */
struct sink_grey {
	uint64_t hash;
	uint64_t first_ms;
};

/* FNV-1a with a final mix; bench/job.py has the same. `salt` tells the questions apart. */
static uint64_t hash_of(char salt, const char *text, size_t len)
{
	uint64_t h = (UINT64_C(0xcbf29ce484222325) ^ (uint8_t)salt) * UINT64_C(0x100000001b3);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* The same answer for the same address whenever it is asked. */
static bool is_one_of(double percent, char salt, const char *address, size_t len)
{
	return percent > 0 && (double)(hash_of(salt, address, len) % 100000) < percent * 1000;
}

static bool set_range(unsigned *min, unsigned *max, const char *value)
{
	char extra;

	return sscanf(value, "%u-%u%c", min, max, &extra) == 2 && *min <= *max && *max <= 600000;
}

static bool set_number(struct sink_provider *p, const char *name, double value)
{
	if (!(value >= 0 && value <= 1e6))
		return false;
	if (strcmp(name, "connections") == 0)
		p->connections = (uint32_t)value;
	else if (strcmp(name, "messages") == 0)
		p->messages = (uint32_t)value;
	else if (strcmp(name, "rate") == 0)
		p->rate = value;
	else if (strcmp(name, "unknown") == 0)
		p->unknown_percent = value;
	else if (strcmp(name, "refused") == 0)
		p->refused_percent = value;
	else if (strcmp(name, "greylist") == 0)
		p->greylist_percent = value;
	else if (strcmp(name, "greylist-ms") == 0)
		p->greylist_ms = (uint64_t)value;
	else if (strcmp(name, "busy") == 0)
		p->busy_percent = value;
	else
		/* Of interest to whoever makes the list. */
		return strcmp(name, "share") == 0 || strcmp(name, "domains") == 0;
	return true;
}

static bool set_option(struct sink_provider *p, char *word)
{
	char *value = strchr(word, '='), *end;
	double number;

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(word, "delay-ms") == 0)
		return set_range(&p->delay_min_ms, &p->delay_max_ms, value);
	if (strcmp(word, "accept-ms") == 0)
		return set_range(&p->accept_min_ms, &p->accept_max_ms, value);
	number = strtod(value, &end);
	return end != value && !*end && set_number(p, word, number);
}

/* The next word of `*rest`; NULL: there is none. */
static char *next_word(char **rest)
{
	char *word;

	while ((word = strsep(rest, " \t\n")))
		if (*word)
			return word;
	return NULL;
}

/* "name address option..."; false: not understood. */
static bool parse_provider(struct sink_provider *p, char *line)
{
	char *name = next_word(&line), *address = next_word(&line), *word;

	*p = (struct sink_provider){ 0 };
	if (!address || inet_pton(AF_INET, address, &p->address) != 1)
		return false;
	snprintf(p->name, sizeof(p->name), "%s", name);
	while ((word = next_word(&line)))
		if (!set_option(p, word))
			return false;
	return true;
}

void provider_read_profile(struct sink_options *o)
{
	FILE *file = fopen(o->profile_path, "re");
	char line[1024];
	unsigned number = 0;

	if (!file)
		sink_fail("%s: %m", o->profile_path);
	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "#")] = '\0';
		if (line[strspn(line, " \t\n")] == '\0')
			continue;
		if (o->provider_count == SINK_PROVIDERS_MAX ||
		    !parse_provider(&o->providers[o->provider_count++], line))
			sink_fail("%s:%u: not understood", o->profile_path, number);
	}
	fclose(file);
	if (o->processes != 1)
		sink_fail("--profile counts in one process only");
}

static struct sink_moment *moment_of(struct session *s)
{
	return &s->sink->moments[s->provider - s->sink->options->providers];
}

const char *provider_enter(struct session *s, unsigned listener)
{
	const struct sink_options *o = s->sink->options;

	if (listener < o->listen_count - o->provider_count)
		return NULL;
	s->provider = &o->providers[listener - (o->listen_count - o->provider_count)];
	moment_of(s)->open++;
	if (!s->provider->connections || moment_of(s)->open <= s->provider->connections)
		return NULL;
	sink_count(&s->sink->stats->turned_away, 1);
	return "421 4.7.0 Too many connections from your address\r\n";
}

void provider_leave(struct session *s)
{
	if (s->provider)
		moment_of(s)->open--;
}

/* A message more within the rate? */
static bool has_token(struct session *s)
{
	struct sink_moment *m = moment_of(s);
	double rate = s->provider->rate, now = (double)s->sink->now_us / 1e6;

	if (!rate)
		return true;
	m->tokens += (now - m->filled_at) * rate;
	m->filled_at = now;
	if (m->tokens > rate)
		m->tokens = rate;
	if (m->tokens < 1)
		return false;
	m->tokens--;
	return true;
}

const char *provider_mail(struct session *s)
{
	if (!s->provider)
		return NULL;
	if (s->provider->messages && s->messages >= s->provider->messages)
		return "421 4.7.0 Enough for one connection\r\n";
	if (has_token(s))
		return NULL;
	sink_count(&s->sink->stats->throttled, 1);
	return "421 4.7.28 Rate limit exceeded for your address, try again later\r\n";
}

/* Too early for this address? */
static bool is_grey(struct session *s, const char *address, size_t len)
{
	struct sink *sink = s->sink;
	uint64_t hash = hash_of('t', address, len) | 1, now_ms = sink->now_us / 1000;
	size_t at = hash >> 1 & (GREY_SLOTS - 1);

	if (!sink->grey && !(sink->grey = calloc(GREY_SLOTS, sizeof(*sink->grey))))
		sink_fail("out of memory");
	while (sink->grey[at].hash && sink->grey[at].hash != hash)
		at = (at + 1) & (GREY_SLOTS - 1);
	if (!sink->grey[at].hash)
		sink->grey[at] = (struct sink_grey){ hash, now_ms };
	return now_ms < sink->grey[at].first_ms + s->provider->greylist_ms;
}

const char *provider_rcpt(struct session *s, const char *address, size_t len)
{
	const struct sink_provider *p = s->provider;
	struct sink_stats *stats = s->sink->stats;

	if (!p)
		return NULL;
	if (is_one_of(p->unknown_percent, 'u', address, len)) {
		sink_count(&stats->rejected, 1);
		return "550 5.1.1 No such user here\r\n";
	}
	if (is_one_of(p->greylist_percent, 'g', address, len) && is_grey(s, address, len)) {
		sink_count(&stats->deferred, 1);
		return "451 4.7.1 Greylisted, try again later\r\n";
	}
	if (sink_chance(s->sink, p->busy_percent)) {
		sink_count(&stats->deferred, 1);
		return "451 4.3.2 Busy, try again later\r\n";
	}
	s->text_refused |= is_one_of(p->refused_percent, 'r', address, len);
	return NULL;
}

const char *provider_text(struct session *s)
{
	if (!s->text_refused)
		return NULL;
	sink_count(&s->sink->stats->rejected, 1);
	return "554 5.7.1 Message refused by policy\r\n";
}
