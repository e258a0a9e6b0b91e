#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define START_NS (1000 * NS_PER_S)

struct sim_world *world;

u64 sim_below(u64 bound)
{
	return random_below(&world->random, bound);
}

bool sim_chance(u32 percent)
{
	return !world->healed && percent > 0 && sim_below(100) < percent;
}

u64 sim_hash(const void *bytes, size_t len)
{
	const u8 *at = bytes;
	u64 hash = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 1099511628211ull;
	return hash;
}

void sim_trace(const char *what, u64 a, u64 b)
{
	const u64 words[] = { world->trace, world->mono_ns, sim_hash(what, strlen(what)), a, b };

	world->trace = sim_hash(words, sizeof(words));
	world->events++;
	if (world->verbose)
		fprintf(stderr, "%12.6f %-10s %llu %llu\n", (double)world->mono_ns / 1e9, what,
			(unsigned long long)a, (unsigned long long)b);
}

void sim_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(world->failure, sizeof(world->failure), fmt, args);
	va_end(args);
	_exit(SIM_FAILED);
}

static void die(void)
{
	sim_trace("dead", world->life, 0);
	_exit(SIM_DIED);
}

void sim_step(void)
{
	if (world->clock_trouble && !world->healed && world->jump_steps_left-- == 0)
		clock_sim_jump();
	if (world->steps_left != UINT64_MAX && world->steps_left-- == 0)
		die();
}

void sim_commit_step(void)
{
	/* Two calls a commit: even counts are before one, odd ones behind it. */
	if (world->commits_left != UINT64_MAX && world->commits_left-- == 0)
		die();
}

void sim_heal(void)
{
	char *size = strstr(world->config_text, "map-size-max = ");

	/* The wall clock may stay wrong for ever: the work must come to its end all the same. */
	world->healed = true;
	if (sim_below(2))
		world->wall_offset_ms = SIM_START_WALL_MS;
	world->steps_left = UINT64_MAX;
	world->commits_left = UINT64_MAX;
	world->stop_at_ns = UINT64_MAX;
	/* A store that was too small gets room at the next start, from 1 MB to 10. */
	if (size)
		memset(size + sizeof("map-size-max = ") - 1, '9', 7);
	sim_trace("heal", 0, 0);
}

/* ---- making a world ---- */

static u8 often(void)
{
	static const u8 percents[] = { 0, 0, 0, 1, 2, 5, 15, 40 };

	return percents[sim_below(array_count(percents))];
}

/* Some worlds are nearly well, some are hostile: otherwise every run would look alike. */
static u8 scaled(u32 misery)
{
	return (u8)(often() * misery / 2);
}

static void make_host(struct sim_host *host, u32 misery)
{
	host->capabilities = (u8)sim_below(32) | (sim_below(8) > 0 ? HOST_ESMTP : 0);
	host->refuses = scaled(misery);
	host->never_answers = scaled(misery) / 2;
	host->temporary = scaled(misery) / 2;
	host->permanent = scaled(misery) / 4;
	host->says_421 = scaled(misery) / 4;
	host->closes = scaled(misery) / 4;
	host->resets = scaled(misery) / 4;
	host->half_closes = scaled(misery) / 8;
	host->talks_nonsense = scaled(misery) / 8;
	host->stays_silent = scaled(misery) / 8;
	host->slow = scaled(misery);
	host->latency_us = 100 + (u32)sim_below(80000);
}

static void make_domains(void)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++) {
		struct sim_domain *domain = &world->domains[i];

		/* Two sites have most of the domains, as in the real world. */
		domain->site = (u8)(sim_below(2) ? sim_below(2) : sim_below(SIM_SITES));
		domain->hosts = resolver_sim_hosts(domain->site);
		domain->turned = sim_below(8) == 0;
		if (sim_below(12) == 0)
			domain->kind = sim_below(2) ? SIM_DOMAIN_NXDOMAIN : SIM_DOMAIN_NULL_MX;
	}
}

static void make_config(void)
{
	static const u32 rates[] = { 0, 0, 0, 2, 10, 50 };
	const bool two = sim_below(2);
	const u64 delay_s = sim_below(sim_below(2) ? 60 : 3);
	/* Every third world: a new address, whose mail goes by the other one when its day is full. */
	const bool is_new = world->seed % 3 == 0;
	const u64 map = world->small_store ? (1 << 20) + sim_below(1 << 19) : 64 << 20;

	snprintf(world->config_text, sizeof(world->config_text),
		 "data = \"%s\"\n"
		 "queue { map-size-max = %llu commit-interval = \"%llums\" in-flight = %llu\n"
		 "in-doubt-delay = \"%llus\" log-keep = \"3650d\" }\n"
		 "retry { schedule = {\"%llus\", \"1m\", \"3m\"} jitter = 20 expire = \"1d\" }\n"
		 "customer \"a.example\" { address \"192.0.2.10\" { ehlo = \"m1.a.example\" }\n"
		 "%s sign = false bounce = \"b\" }\n"
		 "site \"default\" { sessions = %llu messages-per-session = %llu rate = %u depth = %llu\n"
		 "idle = \"%llus\" tls = \"never\" connect-timeout = \"20s\" warm-up-first = %llu\n"
		 "total-rate = %u }\n"
		 "site \"big\" { mx = {\"*.s0.example\"} sessions = %llu rate = %u depth = %llu }\n",
		 world->data, (unsigned long long)map, (unsigned long long)sim_below(20),
		 16ull << sim_below(6), (unsigned long long)delay_s,
		 5 + (unsigned long long)sim_below(30),
		 !two   ? "" :
		 is_new ? "address \"192.0.2.11\" { ehlo = \"m2.a.example\" warm-up = true }\n" :
			  "address \"192.0.2.11\" { ehlo = \"m2.a.example\" }\n",
		 1 + (unsigned long long)sim_below(4), 1 + (unsigned long long)sim_below(30),
		 rates[sim_below(array_count(rates))], 1 + (unsigned long long)sim_below(8),
		 (unsigned long long)sim_below(20), 1 + (unsigned long long)(world->seed % 40),
		 world->seed % 5 == 0 ? 5u : 0u, 1 + (unsigned long long)sim_below(8),
		 rates[sim_below(array_count(rates))], 1 + (unsigned long long)sim_below(8));
	world->in_doubt_delay_ms = delay_s * 1000;
}

static void make_recipients(u32 count)
{
	world->recipient_count = count;
	for (u32 i = 0; i < count; i++) {
		struct sim_recipient *r = &world->recipients[i];

		r->campaign = (u8)sim_below(world->campaign_count);
		r->domain = (u8)sim_below(SIM_DOMAINS);
		r->refused = sim_below(25) == 0;
		r->greylisted = sim_below(6) == 0 ? (u8)sim_below(3) : 0;
	}
}

void sim_make(u64 seed, u32 recipients, const char *data)
{
	u32 misery;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED) {
		perror("sim: memory");
		exit(2);
	}
	world->seed = seed;
	random_seed(&world->random, seed);
	world->mono_ns = START_NS;
	world->wall_offset_ms = SIM_START_WALL_MS;
	snprintf(world->data, sizeof(world->data), "%s", data);
	memset(world->boot, 'a', sizeof(world->boot));
	misery = (u32)sim_below(4);
	world->worker_count = 1 + (u32)sim_below(SIM_WORKERS_MAX);
	world->campaign_count = 1 + (u32)sim_below(SIM_CAMPAIGNS);
	world->small_store = sim_below(6) == 0;
	world->store_faults = sim_below(3) ? 0 : 1 + (u32)sim_below(3) * 12;
	world->clock_trouble = sim_below(3) > 0;
	world->drift_ppm = world->clock_trouble && sim_below(4) == 0 ? (i64)sim_below(200001) - 100000 : 0;
	world->jump_steps_left = sim_below(20000);
	world->chaos_end_ns = START_NS + (60 + sim_below(1200)) * NS_PER_S;
	for (u32 s = 0; s < SIM_SITES; s++) {
		world->host_count[s] = (u8)(1 + sim_below(SIM_HOSTS));
		for (u32 h = 0; h < SIM_HOSTS; h++)
			make_host(&world->hosts[s][h], misery);
	}
	for (u32 i = 0; i < world->campaign_count; i++) {
		world->campaigns[i].doubt_policy = sim_below(3) ? DOUBT_RESEND : DOUBT_HOLD;
		world->campaigns[i].expire_ms = (10 + sim_below(600)) * 60 * 1000;
	}
	world->has_letters = sim_below(2);
	if (world->has_letters)
		world->campaigns[world->campaign_count - 1].doubt_policy = DOUBT_RESEND;
	make_domains();
	make_config();
	world->padding = world->small_store ? 100 + (u32)sim_below(300) : 0;
	/* A small store is one that all the recipients and their log do not fit. */
	make_recipients(world->small_store ? min_u32(recipients * 6, SIM_RECIPIENTS_MAX) : recipients);
}
