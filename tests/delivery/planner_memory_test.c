/* A run over very many domains, each with mail hosts of its own: what is in memory stays bounded. */
#include "planner_fixture.h"

#define DOMAINS 1000000
#define BATCH 1000

static void own_hosts(const char *domain, struct mx_answer *answer)
{
	struct mx_host *host = &answer->hosts[answer->host_count++];
	u32 number = 0;

	sscanf(domain, "d%u.", &number);
	/* One in twenty has no mail, as in old lists. */
	if (number % 20 == 0)
		return;
	answer->status = MX_OK;
	answer->ttl_s = 3600;
	snprintf(host->name, sizeof(host->name), "mx.%.200s", domain);
	host->preference = 10;
	host->address_count = 1;
	answer->addresses[answer->address_count++] = (struct net_address){
		.family = 4, .port = 25,
		.ip = { 20, (u8)(number >> 16), (u8)(number >> 8), (u8)number }
	};
}

static void add_batch(struct planner_intake *intake, u32 first)
{
	static struct planner_recipient batch[BATCH];
	static char addresses[BATCH][32];
	struct slice value = SLICE("x");
	struct error error = { "" };
	struct buf values;

	buf_init(&values, 1024);
	row_values_pack(&values, &value, 1);
	for (u32 i = 0; i < BATCH; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "r@d%u.test", first + i);
		batch[i] = (struct planner_recipient){ slice_of(addresses[i]),
						       buf_slice(&values) };
	}
	if (!planner_intake_add(intake, batch, BATCH, &error))
		fail_msg("%s", error.text);
	buf_done(&values);
}

static struct {
	u32 domains, sites, routes, idle_routes, slots;
} seen;

static void look(struct fixture *f)
{
	seen.domains = (u32)max_u64(seen.domains, f->planner->domains.count);
	seen.sites = (u32)max_u64(seen.sites, f->planner->sites.count);
	seen.routes = (u32)max_u64(seen.routes, f->planner->route_count);
	seen.idle_routes = (u32)max_u64(seen.idle_routes, f->planner->idle_route_count);
	seen.slots = (u32)max_u64(seen.slots, metrics_route_count(f->metrics));
}

/* One row in ten is put off when it is lent first: rows that are due have routes of their own. */
static void answer(struct fixture *f)
{
	struct lease *lease;
	u32 number = 0;

	while ((lease = next_lease(f))) {
		number = lease->ref.id.domain;
		give_back(f, lease, number % 10 == 0 && lease->attempts == 0 ?
					    SMTP_VERDICT_TEMPORARY :
					    SMTP_VERDICT_ACCEPTED, "");
	}
}

static void run(struct fixture *f, u32 id)
{
	struct queue_campaign campaign;

	do {
		for (u32 i = 0; i < 1000; i++) {
			f->now_ns += 2 * NS_PER_MS;
			f->wall_ms += 2;
			if (dns.count > 0)
				planner_resolver_ready(f->planner);
			answer(f);
			planner_turn(f->planner, f->now_ns, f->wall_ms);
			look(f);
		}
		campaign = campaign_of(f, id);
	} while (campaign.state == CAMPAIGN_RUNNING);
}

static void a_run_over_a_million_domains_keeps_memory_flat(void **state)
{
	struct queue_campaign campaign;
	struct planner_intake *intake;
	struct fixture f;
	u32 id;

	(void)state;
	fixture_open(&f, "address \"any\" { ehlo = \"mail.a.example\" }", "");
	dns.answer_others = own_hosts;
	intake = campaign_begin(&f, &campaign, "many");
	for (u32 i = 0; i < DOMAINS; i += BATCH)
		add_batch(intake, i);
	id = campaign_start(&f, intake, &campaign);
	run(&f, id);
	campaign = campaign_of(&f, id);
	assert_int_equal(campaign.delivered, DOMAINS / 20 * 19);
	assert_int_equal(campaign.failed, DOMAINS / 20);
	assert_true(campaign.deferrals > DOMAINS / 20);
	assert_in_range(seen.domains, DOMAINS_MAX / 2, DOMAINS_MAX);
	assert_in_range(seen.sites, DOMAINS_MAX / 2, DOMAINS_MAX);
	assert_in_range(seen.idle_routes, ROUTES_IDLE_MAX / 2, ROUTES_IDLE_MAX + 1000);
	assert_in_range(seen.routes, ROUTES_IDLE_MAX / 2, ROUTES_IDLE_MAX + LANES_ACTIVE_MAX);
	assert_int_equal(seen.slots, METRICS_ROUTES_MAX);
	print_message("most at once: %u domains, %u sites, %u routes\n", seen.domains, seen.sites,
		      seen.routes);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_over_a_million_domains_keeps_memory_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
