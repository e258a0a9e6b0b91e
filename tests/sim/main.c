/*
 * sim --seed S [--recipients N] [--data DIR] [--verbose]: one world, one seed. Plays lives of the
 * sender, each in a child process, until the work is done. One line: the seed, what happened, and the
 * hash of everything that did.
 */
#include "sim.h"

#include "base/remove_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES_MAX 40

static void plan_life(void)
{
	static const u64 steps[] = { 300, 3000, 30000, 300000 };

	world->steps_left = UINT64_MAX;
	world->commits_left = UINT64_MAX;
	world->stop_at_ns = UINT64_MAX;
	if (world->healed)
		return;
	if (sim_below(5) == 0)
		world->stop_at_ns = world->mono_ns + sim_below(120 * NS_PER_S);
	else if (sim_below(3) == 0)
		world->commits_left = sim_below(200);
	else
		world->steps_left = 1 + sim_below(steps[sim_below(array_count(steps))]);
}

/* With the process its connections die; with the machine also what the journal said. */
static void bury(void)
{
	world->deaths++;
	world->alive_ns = sim_alive_ns();
	world->life_ns = world->mono_ns;
	net_sender_died();
	world->mono_ns += sim_below(60 * NS_PER_S);
	if (sim_below(4) == 0 && !world->healed) {
		memset(world->boot, 'a' + (int)(world->life % 26), sizeof(world->boot) - 1);
		world->boot[sizeof(world->boot) - 1] ^= 1;
		clock_sim_reboot();
		sim_trace("reboot", 0, 0);
	}
	for (u32 i = 0; i < world->recipient_count; i++)
		world->recipients[i].lent_wall_ms = 0;
}

/* Returns the exit code of the life. */
static int play_life(void)
{
	pid_t child;
	int status;

	plan_life();
	world->life_ns = world->mono_ns;
	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	if (child == 0)
		life_run();
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	snprintf(world->failure, sizeof(world->failure), "killed by signal %d%s", WTERMSIG(status),
		 WTERMSIG(status) == 14 ? " (a life that does not end)" : "");
	return SIM_FAILED;
}

static bool play(void)
{
	for (world->life = 0; world->life < LIVES_MAX; world->life++) {
		int code;

		if (world->mono_ns >= world->chaos_end_ns || world->life == LIVES_MAX - 1)
			sim_heal();
		code = play_life();
		if (code != SIM_STOPPED && code != SIM_DIED) {
			if (code != SIM_FAILED)
				snprintf(world->failure, sizeof(world->failure), "exit code %d", code);
			return false;
		}
		if (world->finished)
			return true;
		bury();
	}
	return false;
}

static int usage(void)
{
	fputs("usage: sim --seed S [--recipients N] [--data DIR] [--verbose]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	u64 seed = 0;
	u32 recipients = 300;
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char data[200];
	bool verbose = false;
	bool ok;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (i + 1 == argc)
			return usage();
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--recipients") == 0)
			recipients = (u32)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--data") == 0)
			base = argv[++i];
		else
			return usage();
	}
	if (recipients < 1 || recipients > SIM_RECIPIENTS_MAX)
		return usage();
	snprintf(data, sizeof(data), "%s/hikyaku-sim-%d", base, (int)getpid());
	remove_tree(data);
	sim_make(seed, recipients, data);
	world->verbose = verbose;
	ok = play();
	remove_tree(data);
	/* Worlds that drew another number of lots are not the same, though the same may have happened. */
	sim_trace("over", sim_below(UINT64_MAX), ok);
	printf("seed %llu %s lives=%u copies=%llu doubts=%llu full=%llu virtual_s=%llu events=%llu "
	       "trace=%016llx%s%s\n",
	       (unsigned long long)seed, ok ? "ok" : "FAILED", world->life + 1,
	       (unsigned long long)world->copies, (unsigned long long)world->doubts,
	       (unsigned long long)world->full,
	       (unsigned long long)(world->mono_ns / NS_PER_S - 1000), (unsigned long long)world->events,
	       (unsigned long long)world->trace, ok ? "" : ": ", world->failure);
	if (!ok)
		printf("    replay: %s --seed %llu --recipients %u\n", argv[0], (unsigned long long)seed,
		       recipients);
	return ok ? 0 : 1;
}
