#include "web/acme_run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "web/acme_talk.h"
#include "web/front_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS (10 * 60 * NS_PER_S)
#define REST_MS (5ull * 60 * MS_PER_S)
#define REST_MAX_MS (12ull * 60 * 60 * MS_PER_S)
#define REST_DOUBLINGS 8
#define JITTER_PERCENT 20
#define DELAY_MAX_MS (24ull * 60 * 60 * MS_PER_S)

/* What a process says of its failure: how long to rest, and why. */
struct verdict {
	u64 rest_s;
	struct error trouble;
};

static struct random *dice(void)
{
	static struct random random;
	static bool is_seeded;
	u64 seed;

	if (!is_seeded) {
		random_bytes(&seed, sizeof(seed));
		random_seed(&random, seed);
		is_seeded = true;
	}
	return &random;
}

void acme_run_init(struct acme_run *run)
{
	*run = (struct acme_run){ .told = -1, .delay_ms = random_below(dice(), DELAY_MAX_MS) };
}

NORETURN static void work(const struct config_www *www, const struct front_names *names, int to)
{
	struct verdict verdict = { .rest_s = 0 };
	bool is_done;

	/* It reads what only the keeper may (acme-ca-file), and has nothing to do with lighttpd. */
	if (!front_child(false))
		_exit(1);
	is_done = acme_talk(www, names, &verdict.rest_s, &verdict.trouble);
	if (!is_done && write(to, &verdict, sizeof(verdict)) != (ssize_t)sizeof(verdict))
		_exit(2);
	_exit(is_done ? 0 : 1);
}

void acme_run_begin(struct acme_run *run, const struct config_www *www,
		    const struct front_names *names, u64 now_ns)
{
	int pipes[2];

	if (now_ns < run->not_before_ns)
		return;
	run->until_ns = now_ns + PATIENCE_NS;
	run->not_before_ns = now_ns + REST_MS * NS_PER_MS;
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		log_error("www", "no certificate is asked for", "errno=%d", errno);
		return;
	}
	log_info("www", "a certificate is asked for", "host=%s names=%zu directory=%s",
		 names->items[0], names->count, www->acme_directory);
	fflush(NULL);
	run->pid = fork();
	if (run->pid == 0)
		work(www, names, pipes[1]);
	close(pipes[1]);
	run->told = pipes[0];
	if (run->pid < 0) {
		log_error("www", "no certificate is asked for", "errno=%d", errno);
		run->pid = 0;
		close(run->told);
		run->told = -1;
	}
}

/* When it is tried again. */
static void rest(struct acme_run *run, u64 asked_s, u64 now_ns, u64 wall_ms)
{
	u64 rest_ms = REST_MS << min_u64(run->failures - 1, REST_DOUBLINGS);

	rest_ms = random_jitter(dice(), min_u64(rest_ms, REST_MAX_MS), JITTER_PERCENT);
	rest_ms = max_u64(rest_ms, min_u64(asked_s * MS_PER_S, 2 * REST_MAX_MS));
	run->not_before_ns = now_ns + rest_ms * NS_PER_MS;
	run->next_ms = wall_ms + rest_ms;
}

static void take_failure(struct acme_run *run, u64 now_ns, u64 wall_ms)
{
	struct verdict verdict;

	if (read(run->told, &verdict, sizeof(verdict)) != (ssize_t)sizeof(verdict)) {
		verdict.rest_s = 0;
		error_set(&verdict.trouble, "it was broken off");
	}
	verdict.trouble.text[sizeof(verdict.trouble.text) - 1] = '\0';
	run->failures++;
	run->trouble = verdict.trouble;
	rest(run, verdict.rest_s, now_ns, wall_ms);
	log_error("www", "no certificate", "failures=%llu again_in_s=%llu why=\"%s\"",
		  (unsigned long long)run->failures,
		  (unsigned long long)((run->not_before_ns - now_ns) / NS_PER_S),
		  run->trouble.text);
}

bool acme_run_is_over(struct acme_run *run, u64 now_ns, u64 wall_ms)
{
	int status = 0;

	if (run->pid <= 0)
		return false;
	if (now_ns >= run->until_ns)
		kill(run->pid, SIGKILL);
	if (waitpid(run->pid, &status, WNOHANG) != run->pid)
		return false;
	run->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		run->failures = 0;
		run->next_ms = 0;
		run->trouble.text[0] = '\0';
	} else {
		take_failure(run, now_ns, wall_ms);
	}
	close(run->told);
	run->told = -1;
	return true;
}

void acme_run_end(struct acme_run *run)
{
	if (run->pid <= 0)
		return;
	kill(run->pid, SIGKILL);
	while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	run->pid = 0;
	close(run->told);
	run->told = -1;
}
