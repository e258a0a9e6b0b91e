/*
 * Fetches MTA-STS policies, all at once, and writes one line for each: domain, mode or "-", then why
 * it could not be had. For tests that play the policy hosts.
 *
 *   sts_fetch_many ADDRESS:PORT < domains
 */
#include "base/text.h"
#include "dns/sts_fetch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOMAINS_MAX 1000

static char domains[DOMAINS_MAX][256];

int main(int argc, char **argv)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct error error = { "" };
	struct net_address address;
	struct sts_fetcher *fetcher;
	struct sts_fetched fetched;
	u32 count = 0;

	if (argc != 2 || !net_address_parse(&address, slice_of(argv[1]), true))
		return 2;
	fetcher = sts_fetcher_open(&error);
	if (!fetcher) {
		fprintf(stderr, "sts_fetch_many: %s\n", error.text);
		return 1;
	}
	while (count < DOMAINS_MAX && fgets(domains[count], sizeof(domains[0]), stdin)) {
		domains[count][strcspn(domains[count], "\n")] = '\0';
		if (!sts_fetch(fetcher, domains[count], &address, 1, count))
			return 1;
		count++;
	}
	for (u32 taken = 0; taken < count;) {
		if (!sts_next_fetched(fetcher, &fetched)) {
			usleep(10000);
			continue;
		}
		taken++;
		printf("%s\t%s\t%s\n", domains[fetched.cookie],
		       fetched.ok ? modes[fetched.policy.mode] : "-", fetched.why);
		fflush(stdout);
	}
	sts_fetcher_close(fetcher);
	return 0;
}
